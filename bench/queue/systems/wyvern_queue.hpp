#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include <wyvern/channels/channel.hpp>

#include "bench/common/scratch.hpp"
#include "bench/queue/courier.hpp"
#include "bench/queue/queue_order.hpp"

namespace wyvern::bench {

/// Ours: channels with default options; what is sent is copied in, what is received is copied out, by the
/// calls that put() and get() of a Queue are made of.
class WyvernEndpoint {
 public:
  WyvernEndpoint(const QueueOrder& order, const Scratch&)
      : outgoing_(order.channels.at(order.work.outgoing)),
        incoming_(order.channels.at(order.work.incoming)) {}

  void send(std::span<const std::byte> message) { outgoing_.put(message); }
  void receive(std::span<std::byte> message) {
    std::vector<std::byte> other;
    if (incoming_.get_into(message, other, WaitLimit::never()) != Received::in_buffer) throw_other_size();
  }
  /// The same, without ever sleeping.
  void poll(std::span<std::byte> message) {
    std::vector<std::byte> other;
    Received received = Received::nothing;
    while (received == Received::nothing) received = incoming_.get_into(message, other, WaitLimit::now());
    if (received != Received::in_buffer) throw_other_size();
  }

 private:
  [[noreturn]] static void throw_other_size() { throw std::runtime_error("a message has another size"); }

  Channel outgoing_;
  Channel incoming_;
};

/// Ours without copying: messages are stamped in memory that the channel lends, and read where they lie. Used
/// in place of a Courier.
class LoanCourier {
 public:
  explicit LoanCourier(const QueueOrder& order)
      : outgoing_(order.channels.at(order.work.outgoing)),
        incoming_(order.channels.at(order.work.incoming)),
        bytes_(order.work.shape.bytes) {}

  void expect() {}
  void send(std::uint64_t stamp) {
    ChannelLoan loan = outgoing_.loan(bytes_);
    write_stamp(loan.bytes(), stamp);
    outgoing_.put(std::move(loan));
  }
  std::uint64_t receive() {
    const ChannelMessage received = incoming_.take();
    if (received.bytes().size() != bytes_) throw std::runtime_error("a message has another size");
    return read_stamp(received.bytes());
  }

 private:
  Channel outgoing_;
  Channel incoming_;
  std::uint64_t bytes_;
};

}  // namespace wyvern::bench
