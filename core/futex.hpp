#pragma once

#include <atomic>
#include <cstdint>

#include <wyvern/core/deadline.hpp>

namespace wyvern {

/// Sleeps while `word` is `expected`, until woken or the deadline; returns at once when it is not. May return
/// early. Works between processes. True if the thread really slept and was woken.
bool futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, Deadline deadline);
/// Wakes up to `count` sleepers.
void futex_wake(std::atomic<std::uint32_t>& word, int count);

/// Nanoseconds of the monotonic clock, the same for all processes of a host.
std::uint64_t monotonic_ns();

}  // namespace wyvern
