#include "bench/common/clock.hpp"

namespace wyvern::bench {

double measure_ns_per_tick() {
  constexpr std::uint64_t duration_ns = 20'000'000;
  const std::uint64_t start_ns = monotonic_ns();
  const Ticks start = now_ticks();
  std::uint64_t end_ns = start_ns;
  while (end_ns - start_ns < duration_ns) end_ns = monotonic_ns();
  return static_cast<double>(end_ns - start_ns) / static_cast<double>(now_ticks() - start);
}

}  // namespace wyvern::bench
