#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <stdexcept>

#include <wyvern/channels/channel.hpp>

#include "bench/queue/scratch.hpp"
#include "bench/queue/work_order.hpp"

namespace wyvern::bench {

/// Ours: channels with default options; what is sent is copied in, what is received is copied out.
class WyvernEndpoint {
 public:
  WyvernEndpoint(const WorkOrder& order, const Scratch&)
      : outgoing_(order.channels.at(order.outgoing)), incoming_(order.channels.at(order.incoming)) {}

  void send(std::span<const std::byte> message) { outgoing_.put(message); }
  void receive(std::span<std::byte> message) {
    const auto received = incoming_.local().get(Deadline::never());
    if (received->bytes().size() != message.size()) throw std::runtime_error("a message has another size");
    std::memcpy(message.data(), received->bytes().data(), message.size());
  }

 private:
  Channel outgoing_;
  Channel incoming_;
};

}  // namespace wyvern::bench
