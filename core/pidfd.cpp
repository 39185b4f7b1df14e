#include <sys/syscall.h>
#include <unistd.h>

#include <wyvern/core/pidfd.hpp>

namespace wyvern {

FileDescriptor open_pidfd(pid_t process) {
  return FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
}

void send_signal_to(const FileDescriptor& pidfd, int signal) {
  ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
}

}  // namespace wyvern
