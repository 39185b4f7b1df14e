#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <wyvern/core/deadline.hpp>
#include <wyvern/core/futex.hpp>

#include "bench/common/scratch.hpp"
#include "bench/queue/queue_order.hpp"

namespace wyvern::bench {

/// The bare minimum for a receiver that sleeps: a word that counts messages. A send is a store and a
/// FUTEX_WAKE, a receive a FUTEX_WAIT unless the message is there already. One side must not send again
/// before the other has received.
class FutexEndpoint {
 public:
  static constexpr bool carries_stamp_only = true;

  FutexEndpoint(const QueueOrder& order, const Scratch& scratch)
      : outgoing_(scratch->words.at(order.work.outgoing)),
        incoming_(scratch->words.at(order.work.incoming)) {}

  void send(std::span<const std::byte> message) {
    std::uint64_t stamp = 0;
    std::memcpy(&stamp, message.data(), sizeof stamp);
    outgoing_.stamp.store(stamp, std::memory_order_relaxed);
    outgoing_.turns.fetch_add(1, std::memory_order_release);
    futex_wake(outgoing_.turns, 1);
  }
  void receive(std::span<std::byte> message) {
    while (incoming_.turns.load(std::memory_order_acquire) == received_) {
      futex_wait(incoming_.turns, received_, Deadline::never());
    }
    ++received_;
    const std::uint64_t stamp = incoming_.stamp.load(std::memory_order_relaxed);
    std::memcpy(message.data(), &stamp, sizeof stamp);
  }

 private:
  SharedWord& outgoing_;
  SharedWord& incoming_;
  std::uint32_t received_ = 0;
};

}  // namespace wyvern::bench
