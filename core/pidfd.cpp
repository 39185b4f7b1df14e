#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include <wyvern/core/pidfd.hpp>

namespace wyvern {

FileDescriptor open_pidfd(pid_t process) {
  return FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
}

bool is_of_process(const FileDescriptor& descriptor) {
  return ::syscall(SYS_pidfd_send_signal, descriptor.get(), 0, nullptr, 0) == 0 || errno != EBADF;
}

void send_signal_to(const FileDescriptor& pidfd, int signal) {
  ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
}

}  // namespace wyvern
