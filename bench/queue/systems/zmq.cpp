#include "bench/queue/systems/zmq.hpp"

#include <zmq.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <string>

#include "bench/common/worker.hpp"

namespace wyvern::bench {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::runtime_error(std::string("zmq: ") + what + ": " + ::zmq_strerror(::zmq_errno()));
}

}  // namespace

void ZmqEndpoint::End::operator()(void* socket) const { ::zmq_close(socket); }
void ZmqEndpoint::EndContext::operator()(void* context) const { ::zmq_ctx_term(context); }

ZmqEndpoint::ZmqEndpoint(const QueueOrder& order, const Scratch& scratch)
    : context_(::zmq_ctx_new()),
      outgoing_(::zmq_socket(context_.get(), ZMQ_PUSH)),
      incoming_(::zmq_socket(context_.get(), ZMQ_PULL)) {
  if (outgoing_ == nullptr || incoming_ == nullptr) fail("zmq_socket");
  const int no_linger = 0;
  ::zmq_setsockopt(outgoing_.get(), ZMQ_LINGER, &no_linger, sizeof no_linger);
  if (::zmq_bind(incoming_.get(), "tcp://127.0.0.1:*") != 0) fail("zmq_bind");
  std::array<char, 256> own{};
  std::size_t length = own.size();
  if (::zmq_getsockopt(incoming_.get(), ZMQ_LAST_ENDPOINT, own.data(), &length) != 0) fail("its address");
  const auto others = meet_partner(scratch, order.work.worker, std::as_bytes(std::span(own)).first(length));
  const std::string address(reinterpret_cast<const char*>(others.data()));
  if (::zmq_connect(outgoing_.get(), address.c_str()) != 0) fail("zmq_connect");
}

void ZmqEndpoint::send(std::span<const std::byte> message) {
  while (::zmq_send(outgoing_.get(), message.data(), message.size(), 0) < 0) {
    if (::zmq_errno() != EINTR) fail("zmq_send");
  }
}

void ZmqEndpoint::receive(std::span<std::byte> message) {
  int received = 0;
  do {
    received = ::zmq_recv(incoming_.get(), message.data(), message.size(), 0);
  } while (received < 0 && ::zmq_errno() == EINTR);
  if (received < 0) fail("zmq_recv");
  if (static_cast<std::size_t>(received) != message.size())
    throw std::runtime_error("zmq: a message has another size");
}

}  // namespace wyvern::bench
