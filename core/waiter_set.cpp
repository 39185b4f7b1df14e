#include <wyvern/core/parker.hpp>
#include <wyvern/core/waiter_set.hpp>

namespace wyvern {

void WaiterSet::wake(const Segment& segment, std::uint32_t count) {
  constexpr std::uint32_t word_count = max_parkers / 64;
  const std::uint32_t start =
      next.load(std::memory_order_relaxed) % max_parkers;  // a hint: any start is right
  const std::uint64_t occupied = summary.load(std::memory_order_seq_cst);
  // The first word is visited twice: its upper part first, its lower part last.
  for (std::uint32_t step = 0; step <= word_count; ++step) {
    const std::uint32_t word = (start / 64 + step) % word_count;
    if ((occupied & bit(word)) == 0) continue;
    std::uint64_t waiting = words[word].load(std::memory_order_seq_cst);
    if (step == 0) waiting &= ~std::uint64_t{0} << (start % 64);
    if (step == word_count) waiting &= bit(start % 64) - 1;
    for (; waiting != 0; waiting &= waiting - 1) {
      const std::uint32_t parker = word * 64 + static_cast<std::uint32_t>(std::countr_zero(waiting));
      if (!notify(segment.parker(parker))) continue;
      // Who left this set before the claim sleeps for something else by now and will not pass our wake on.
      if ((words[word].load(std::memory_order_seq_cst) & bit(parker % 64)) == 0) continue;
      next.store((parker + 1) % max_parkers, std::memory_order_relaxed);
      if (--count == 0) return;
    }
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
