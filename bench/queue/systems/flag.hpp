#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "bench/common/scratch.hpp"
#include "bench/queue/queue_order.hpp"

namespace wyvern::bench {

/// The bare minimum between two cores, in the form in which it is usually measured: one flag for each
/// direction, in cache lines of their own, on which the other side spins with plain loads. It carries nothing
/// but a stamp, waits for no room and cannot sleep. Each stamp must differ from the one before.
class FlagEndpoint {
 public:
  static constexpr bool carries_stamp_only = true;

  FlagEndpoint(const QueueOrder& order, const Scratch& scratch)
      : outgoing_(scratch->words.at(order.work.outgoing).stamp),
        incoming_(scratch->words.at(order.work.incoming).stamp) {}

  void send(std::span<const std::byte> message) {
    std::uint64_t stamp = 0;
    std::memcpy(&stamp, message.data(), sizeof stamp);
    outgoing_.store(stamp, std::memory_order_release);
  }
  void receive(std::span<std::byte> message) {
    std::uint64_t stamp = incoming_.load(std::memory_order_acquire);
    while (stamp == last_) {
      stamp = incoming_.load(std::memory_order_acquire);
    }
    last_ = stamp;
    std::memcpy(message.data(), &stamp, sizeof stamp);
  }

 private:
  std::atomic<std::uint64_t>& outgoing_;
  std::atomic<std::uint64_t>& incoming_;
  std::uint64_t last_ = 0;
};

}  // namespace wyvern::bench
