#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include <wyvern/core/error.hpp>
#include <wyvern/core/pidfd.hpp>
#include <wyvern/runtime/protocol/seqpacket.hpp>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77  // Linux 6.5; older C libraries do not name it
#endif

namespace wyvern::control {
namespace {

/// Room for descriptors, aligned for the header that stands before them.
struct alignas(cmsghdr) DescriptorArea {
  char bytes[CMSG_SPACE(max_message_descriptors * sizeof(int))];
};

FileDescriptor make_socket(int flags = 0) {
  FileDescriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
  if (!socket) throw NodeLost(describe_errno("making a UNIX socket", errno));
  return socket;
}

/// The address of an abstract name, and its length.
std::pair<sockaddr_un, socklen_t> abstract_address(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.empty() || name.size() >= sizeof address.sun_path) {
    throw InvalidArgument("'" + name + "' is not the name of an agent's socket");
  }
  name.copy(address.sun_path + 1, name.size());
  return {address, static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())};
}

void take_descriptors(msghdr& message, std::vector<FileDescriptor>& descriptors) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      descriptors.emplace_back(fd);
    }
  }
}

}  // namespace

Transfer send_packet(int socket, std::span<const std::byte> bytes, std::span<const int> descriptors) {
  iovec content{const_cast<std::byte*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  DescriptorArea area{};
  if (!descriptors.empty()) {
    const auto count = std::min(descriptors.size(), max_message_descriptors);
    message.msg_control = area.bytes;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(part), descriptors.data(), count * sizeof(int));
  }
  while (true) {
    if (::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return Transfer::done;
    if (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS) return Transfer::would_block;
    if (errno != EINTR) return Transfer::closed;
  }
}

Transfer receive_packet(int socket, Packet& packet) {
  packet.size = 0;
  packet.descriptors.clear();
  packet.lacks_descriptors = false;
  iovec content{packet.bytes, sizeof packet.bytes};
  DescriptorArea area{};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = area.bytes;
  message.msg_controllen = sizeof area.bytes;
  ssize_t received = 0;
  do {
    received = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received < 0 && errno == EAGAIN) return Transfer::would_block;
  if (received <= 0)
    return Transfer::closed;  // nothing we send is empty: an empty packet is as good as an end
  take_descriptors(message, packet.descriptors);
  const bool is_cut = (message.msg_flags & MSG_CTRUNC) != 0;
  // There is room for as many as any message has: with fewer, it was this process that could not take more.
  packet.lacks_descriptors = is_cut && packet.descriptors.size() < max_message_descriptors;
  if ((message.msg_flags & MSG_TRUNC) != 0 || (is_cut && !packet.lacks_descriptors)) {
    throw Malformed("it is longer or has more descriptors than any message");
  }
  packet.size = static_cast<std::size_t>(received);
  return Transfer::done;
}

bool wait_until_any_ready(std::span<pollfd> waited, Deadline deadline) {
  while (true) {
    int timeout = -1;
    if (deadline.passed()) {
      timeout = 0;
    } else if (!deadline.is_never()) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline.time() - Deadline::Clock::now());
      timeout = static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, 1 << 30));
    }
    const int ready = ::poll(waited.data(), waited.size(), timeout);
    if (ready > 0) return true;
    if (ready == 0 && timeout == 0) return false;
  }
}

bool wait_until_ready(int socket, short events, Deadline deadline) {
  pollfd waited{socket, events, 0};
  return wait_until_any_ready(std::span(&waited, 1), deadline);
}

std::pair<FileDescriptor, FileDescriptor> make_socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    throw NodeLost(describe_errno("making a pair of UNIX sockets", errno));
  }
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

FileDescriptor listen_at(const std::string& name) {
  FileDescriptor socket = make_socket(SOCK_NONBLOCK);
  const auto [address, length] = abstract_address(name);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      ::listen(socket.get(), SOMAXCONN) != 0) {
    throw NodeLost(describe_errno("listening at the UNIX socket @" + name, errno));
  }
  return socket;
}

FileDescriptor connect_to(const std::string& name, std::chrono::milliseconds patience) {
  FileDescriptor socket = make_socket();
  const auto [address, length] = abstract_address(name);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience);
  const timeval limit{seconds.count(),
                      std::chrono::duration_cast<std::chrono::microseconds>(patience - seconds).count()};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);  // bounds connect too
  int result = 0;
  do {
    result = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), length);
  } while (result != 0 && errno == EINTR);
  if (result != 0) {
    throw NodeLost(describe_errno("connecting to the agent at @" + name, errno) +
                   "; has the job that this process belongs to ended?");
  }
  return socket;
}

Peer peer_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return {};
  Peer peer{.pid = credentials.pid, .uid = credentials.uid, .pidfd = {}};
  int pidfd = -1;
  size = sizeof pidfd;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0) {
    peer.pidfd = FileDescriptor(pidfd);
  } else if (errno == ENOPROTOOPT && peer.pid > 0) {
    peer.pidfd = open_pidfd(peer.pid);
  }
  return peer;
}

}  // namespace wyvern::control
