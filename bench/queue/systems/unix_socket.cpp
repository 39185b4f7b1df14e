#include "bench/queue/systems/unix_socket.hpp"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <vector>

namespace wyvern::bench {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), std::string("unix: ") + what);
}

class UnixSockets : public Resources {
 public:
  explicit UnixSockets(QueueOrder& order) {
    // For workers that are no descendants, where the kernel's Yama module guards descriptors: else no effect.
    ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    order.head = static_cast<std::uint32_t>(::getpid());
    for (std::uint32_t i = 0; i < order.work.shape.directions; ++i) {
      int ends[2];
      if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair");
      for (const int end : ends) {
        sockets_.emplace_back(end);
        order.sockets.push_back(end);
      }
    }
  }

 private:
  std::vector<FileDescriptor> sockets_;
};

FileDescriptor copy_of(int process, int socket) {
  FileDescriptor copy(static_cast<int>(::syscall(SYS_pidfd_getfd, process, socket, 0)));
  if (!copy) fail("pidfd_getfd, which gives a worker the head's socket");
  return copy;
}

}  // namespace

UnixSocketEndpoint::UnixSocketEndpoint(const QueueOrder& order, const Scratch&) {
  const FileDescriptor head(static_cast<int>(::syscall(SYS_pidfd_open, order.head, 0)));
  if (!head) fail("pidfd_open");
  outgoing_ = copy_of(head.get(), order.sockets.at(std::size_t{2} * order.work.outgoing));
  incoming_ = copy_of(head.get(), order.sockets.at(std::size_t{2} * order.work.incoming + 1));
}

void UnixSocketEndpoint::send(std::span<const std::byte> message) {
  while (::send(outgoing_.get(), message.data(), message.size(), MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) fail("send");
  }
}

void UnixSocketEndpoint::receive(std::span<std::byte> message) {
  ssize_t length = 0;
  do {
    length = ::recv(incoming_.get(), message.data(), message.size(), 0);
  } while (length < 0 && errno == EINTR);
  if (length < 0) fail("recv");
  if (static_cast<std::size_t>(length) != message.size()) {
    throw std::runtime_error("unix: a message has another size");
  }
}

std::unique_ptr<Resources> make_unix_sockets(QueueOrder& order) {
  return std::make_unique<UnixSockets>(order);
}

}  // namespace wyvern::bench
