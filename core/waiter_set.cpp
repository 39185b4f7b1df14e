#include <bit>

#include <wyvern/core/giving_way.hpp>
#include <wyvern/core/parker.hpp>
#include <wyvern/core/signal.hpp>
#include <wyvern/core/waiter_set.hpp>

namespace wyvern {

void WaiterSet::wake_and_give_way(const Segment& segment) {
  if (wake(segment, 1) != 0) GivingWay::mine().after_wake();
}

std::uint32_t WaiterSet::wake(const Segment& segment, std::uint32_t count) {
  const std::uint32_t wanted = count;
  static_assert(max_parkers / 64 == 64, "a bit of the summary for each word");
  const std::uint32_t start =
      next.load(std::memory_order_relaxed) % max_parkers;  // a hint: any start is right
  const std::uint32_t first = start / 64;
  const std::uint64_t occupied = summary.load(std::memory_order_seq_cst);
  // The first word is visited twice: its upper part first, its lower part last.
  const std::uint64_t upper = ~std::uint64_t{0} << (start % 64);
  if ((occupied & bit(first)) != 0) wake_in(segment, first, upper, count);
  const std::uint64_t others = occupied & ~bit(first);
  for (std::uint64_t rest = std::rotr(others, static_cast<int>(first)); rest != 0 && count != 0;
       rest &= rest - 1) {
    wake_in(segment, (first + static_cast<std::uint32_t>(std::countr_zero(rest))) % 64, ~std::uint64_t{0},
            count);
  }
  if ((occupied & bit(first)) != 0) wake_in(segment, first, ~upper, count);
  return wanted - count;
}

/// Among those of one word that are in `mask`; `count` is how many are still to be woken.
void WaiterSet::wake_in(const Segment& segment, std::uint32_t word, std::uint64_t mask,
                        std::uint32_t& count) {
  if (count == 0) return;
  for (std::uint64_t waiting = words[word].load(std::memory_order_seq_cst) & mask; waiting != 0;
       waiting &= waiting - 1) {
    const std::uint32_t parker = word * 64 + static_cast<std::uint32_t>(std::countr_zero(waiting));
    ParkerCell& cell = segment.parker(parker);
    // Relaxed: set before the registration that we have seen. A thread with fibers is told while it runs,
    // too, and comes to it some time; that does not count, for there may be a sleeper that is faster.
    if (cell.takes_signals.load(std::memory_order_relaxed) != 0)
      set_signal(cell, signal_of_place(segment, this));
    if (!notify(cell)) continue;
    // Who left this set before the claim sleeps for something else by now and will not pass our wake on.
    if (!has(parker)) continue;
    next.store((parker + 1) % max_parkers, std::memory_order_relaxed);
    if (--count == 0) return;
  }
}

bool WaiterSet::tidy() {
  bool missed = false;
  for (std::uint64_t set = summary.load(std::memory_order_seq_cst); set != 0; set &= set - 1) {
    const auto word = static_cast<std::uint32_t>(std::countr_zero(set));
    if (words[word].load(std::memory_order_seq_cst) != 0) continue;
    summary.fetch_and(~bit(word), std::memory_order_seq_cst);
    if (words[word].load(std::memory_order_seq_cst) == 0) continue;
    summary.fetch_or(bit(word), std::memory_order_seq_cst);
    missed = true;
  }
  return missed;
}

}  // namespace wyvern
