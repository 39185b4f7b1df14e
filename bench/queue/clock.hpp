#pragma once

#include <cstdint>

#include <wyvern/core/futex.hpp>

namespace wyvern::bench {

/// Units of the cheapest clock that there is; only differences between two readings in one process mean
/// something.
using Ticks = std::uint64_t;

inline Ticks now_ticks() {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#else
  return monotonic_ns();
#endif
}

/// Nanoseconds that a tick takes, from 20 ms of comparing it to the monotonic clock.
double measure_ns_per_tick();

}  // namespace wyvern::bench
