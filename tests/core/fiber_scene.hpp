#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include <wyvern/core/fiber/fiber.hpp>
#include <wyvern/core/wait.hpp>

#include "core_node.hpp"

namespace wyvern::test {

/// A place where fibers and threads wait for tokens, as consumers wait for messages: one is woken for each,
/// takes it, and passes the wake on if there is more. Plain data: it may lie in a segment.
struct Tokens {
  WaiterSet waiters;
  std::atomic<std::uint64_t> count;
  std::atomic<std::uint32_t> closed;

  bool is_worth_a_look() const {
    return count.load(std::memory_order_seq_cst) != 0 || closed.load(std::memory_order_seq_cst) != 0;
  }
  bool try_take() {
    std::uint64_t seen = count.load(std::memory_order_seq_cst);
    while (seen != 0 && !count.compare_exchange_weak(seen, seen - 1)) {
    }
    return seen != 0;
  }
  /// False: closed, or not in time.
  bool take(const std::shared_ptr<Member>& member, const WaitLimit& limit = WaitLimit::never()) {
    bool owed = false;
    bool taken = false;
    while (!(taken = try_take()) && closed.load() == 0 && !limit.passed()) {
      owed |= wait_until(
                  member, make_interest(InterestKind::message, 1), &waiters,
                  [this] { return is_worth_a_look(); }, limit)
                  .notified;
    }
    if (owed && is_worth_a_look()) waiters.wake_one(member->segment());
    return taken;
  }
  void put(const Segment& segment) {
    count.fetch_add(1, std::memory_order_seq_cst);
    waiters.wake_one(segment);
  }
  void close(const Segment& segment) {
    closed.store(1, std::memory_order_seq_cst);
    waiters.wake_all(segment);
  }
  bool has_registrations() const {
    for (const auto& word : waiters.words) {
      if (word.load() != 0) return true;
    }
    return false;
  }
};

/// How many fibers a test of many has: the thread sanitizer has room for a few thousand, and is slow.
#if defined(__SANITIZE_THREAD__)
inline constexpr std::size_t many_fibers = 1'000;
#else
inline constexpr std::size_t many_fibers = 10'000;
#endif

inline std::uint32_t parkers_in_state(const Segment& segment, ParkerState state) {
  std::uint32_t count = 0;
  for (std::uint32_t i = 0; i < max_parkers; ++i) {
    const ParkerCell& cell = segment.parker(i);
    count += cell.owner.load() != 0 && cell.state.load() == state;
  }
  return count;
}

template <class Condition>
void until(Condition&& condition) {
  while (!condition()) std::this_thread::yield();
}

}  // namespace wyvern::test
