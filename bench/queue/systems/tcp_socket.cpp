#include "bench/queue/systems/tcp_socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "bench/common/worker.hpp"

namespace wyvern::bench {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), std::string("tcp: ") + what);
}

sockaddr* generic(sockaddr_in& address) { return reinterpret_cast<sockaddr*>(&address); }

FileDescriptor make_socket() {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) fail("socket");
  return socket;
}

}  // namespace

TcpSocketEndpoint::TcpSocketEndpoint(const QueueOrder& order, const Scratch& scratch) {
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof own;
  const FileDescriptor listener = make_socket();
  if (::bind(listener.get(), generic(own), sizeof own) != 0 || ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), generic(own), &length) != 0)
    fail("listening");
  const auto others = meet_partner(scratch, order.work.worker, std::as_bytes(std::span(&own, 1)));
  if (order.work.worker == 0) {
    sockaddr_in other{};
    std::memcpy(&other, others.data(), sizeof other);
    connection_ = make_socket();
    if (::connect(connection_.get(), generic(other), sizeof other) != 0) fail("connect");
  } else {
    connection_ = FileDescriptor(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection_) fail("accept");
  }
  const int on = 1;
  if (::setsockopt(connection_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) fail("TCP_NODELAY");
}

void TcpSocketEndpoint::send(std::span<const std::byte> message) {
  while (!message.empty()) {
    const ssize_t sent = ::send(connection_.get(), message.data(), message.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) fail("send");
    if (sent > 0) message = message.subspan(static_cast<std::size_t>(sent));
  }
}

void TcpSocketEndpoint::receive(std::span<std::byte> message) {
  while (!message.empty()) {
    const ssize_t received = ::recv(connection_.get(), message.data(), message.size(), MSG_WAITALL);
    if (received == 0) throw std::runtime_error("tcp: the other process has gone");
    if (received < 0 && errno != EINTR) fail("recv");
    if (received > 0) message = message.subspan(static_cast<std::size_t>(received));
  }
}

}  // namespace wyvern::bench
