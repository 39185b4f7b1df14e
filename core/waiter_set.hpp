#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

#include <wyvern/core/prefetch.hpp>
#include <wyvern/core/segment.hpp>

namespace wyvern {

/// Who waits for one condition of one object: a bit for each parker of the node, and a summary of the words.
/// A bit is set and cleared by the parker's owner, or by the agent for a dead one. Summary bits are set by
/// owners and cleared by the agent alone (`tidy`), so that no clear can hide a registration made at the same
/// time: a set summary bit over an empty word costs a waker one load, a clear one over a bit would cost a
/// wake-up.
struct WaiterSet {
  std::atomic<std::uint64_t> summary;
  std::atomic<std::uint32_t> next;  ///< where the last search ended: wakes rotate among the waiters
  std::uint32_t reserved;
  std::atomic<std::uint64_t> words[max_parkers / 64];

  void add(std::uint32_t parker) {
    // Sequentially consistent, like the waker's loads: see Parker for the argument.
    words[parker / 64].fetch_or(bit(parker % 64), std::memory_order_seq_cst);
    if ((summary.load(std::memory_order_seq_cst) & bit(parker / 64)) == 0) {
      summary.fetch_or(bit(parker / 64), std::memory_order_seq_cst);
    }
  }
  /// To be called before Parker::finish(): a waker that still finds the bit after its claim is sure to be
  /// noticed.
  void remove(std::uint32_t parker) {
    words[parker / 64].fetch_and(~bit(parker % 64), std::memory_order_seq_cst);
  }

  /// Whether that one is registered.
  bool has(std::uint32_t parker) const {
    // Sequentially consistent, for a waker that has claimed the parker: see remove().
    return (words[parker / 64].load(std::memory_order_seq_cst) & bit(parker % 64)) != 0;
  }

  /// To be called some time before a wake: fetches what that will look at, if there is anybody.
  void expect_wake() const {
    const std::uint64_t occupied = summary.load(std::memory_order_relaxed);
    if (occupied != 0) prefetch_to_read(&words[std::countr_zero(occupied)]);
  }
  /// Wakes one sleeper if there is any, and may let it run first (GivingWay); one load when there never was
  /// any. Call it after the condition became true, when nothing else is to be done in a hurry.
  void wake_one(const Segment& segment) {
    if (summary.load(std::memory_order_seq_cst) != 0) wake_and_give_way(segment);
  }
  /// The same for a batch: up to `count` of them.
  void wake_some(const Segment& segment, std::uint32_t count) {
    if (summary.load(std::memory_order_seq_cst) != 0) wake(segment, count);
  }
  void wake_all(const Segment& segment) {
    if (summary.load(std::memory_order_seq_cst) != 0) wake(segment, max_parkers);
  }
  /// For the agent: clears summary bits over empty words. True if a registration came in meanwhile, whose
  /// waker may have missed it: the caller then tests the condition and wakes.
  bool tidy();

 private:
  static constexpr std::uint64_t bit(std::uint32_t position) { return std::uint64_t{1} << position; }
  void wake_and_give_way(const Segment& segment);
  /// How many it has woken.
  std::uint32_t wake(const Segment& segment, std::uint32_t count);
  void wake_in(const Segment& segment, std::uint32_t word, std::uint64_t mask, std::uint32_t& count);
};
static_assert(sizeof(WaiterSet) == 16 + max_parkers / 8);

}  // namespace wyvern
