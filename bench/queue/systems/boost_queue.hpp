#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include <boost/interprocess/ipc/message_queue.hpp>

#include "bench/common/scratch.hpp"
#include "bench/queue/queue_order.hpp"
#include "bench/queue/systems/resources.hpp"

namespace wyvern::bench {

/// Boost.Interprocess message_queue: a priority queue under a mutex, all messages of the same priority here.
class BoostQueueEndpoint {
 public:
  BoostQueueEndpoint(const QueueOrder& order, const Scratch& scratch);
  void send(std::span<const std::byte> message) { outgoing_.send(message.data(), message.size(), 0); }
  void receive(std::span<std::byte> message) {
    boost::interprocess::message_queue::size_type length = 0;
    unsigned priority = 0;
    incoming_.receive(message.data(), message.size(), length, priority);
    if (length != message.size()) throw std::runtime_error("boost: a message has another size");
  }

 private:
  boost::interprocess::message_queue outgoing_;
  boost::interprocess::message_queue incoming_;
};

std::unique_ptr<Resources> make_boost_queues(QueueOrder& order);

}  // namespace wyvern::bench
