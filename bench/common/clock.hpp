#pragma once

#include <cstdint>

#include <wyvern/core/futex.hpp>

namespace wyvern::bench {

/// Units of the cheapest clock that there is; only differences between two readings in one process mean
/// something.
using Ticks = std::uint64_t;

inline Ticks now_ticks() {
#if defined(__x86_64__)
  // The form that waits for the loads before it: the other one may be read while the load that ends a wait is
  // still under way, and then shows less than half of what a short round trip takes.
  unsigned processor = 0;
  return __builtin_ia32_rdtscp(&processor);
#else
  return monotonic_ns();
#endif
}

/// Nanoseconds that a tick takes, from 20 ms of comparing it to the monotonic clock.
double measure_ns_per_tick();

}  // namespace wyvern::bench
