#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <utility>

#include <wyvern/channels/channel.hpp>

#include "bench/queue/courier.hpp"
#include "bench/queue/scratch.hpp"
#include "bench/queue/work_order.hpp"

namespace wyvern::bench {

/// Ours: channels with default options; what is sent is copied in, what is received is copied out.
class WyvernEndpoint {
 public:
  WyvernEndpoint(const WorkOrder& order, const Scratch&)
      : outgoing_(order.channels.at(order.outgoing)), incoming_(order.channels.at(order.incoming)) {}

  void send(std::span<const std::byte> message) { outgoing_.put(message); }
  void receive(std::span<std::byte> message) { copy(incoming_.take(), message); }
  /// The same, without ever sleeping.
  void poll(std::span<std::byte> message) {
    auto received = incoming_.try_take();
    while (!received) received = incoming_.try_take();
    copy(*received, message);
  }

 private:
  static void copy(const ChannelMessage& received, std::span<std::byte> message) {
    if (received.bytes().size() != message.size()) throw std::runtime_error("a message has another size");
    std::memcpy(message.data(), received.bytes().data(), message.size());
  }

  Channel outgoing_;
  Channel incoming_;
};

/// Ours without copying: messages are stamped in memory that the channel lends, and read where they lie. Used
/// in place of a Courier.
class LoanCourier {
 public:
  explicit LoanCourier(const WorkOrder& order)
      : outgoing_(order.channels.at(order.outgoing)),
        incoming_(order.channels.at(order.incoming)),
        bytes_(order.shape.bytes) {}

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
