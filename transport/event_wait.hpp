#pragma once

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <wyvern/core/deadline.hpp>
#include <wyvern/transport/endpoint.hpp>

namespace wyvern {

/// How long to sleep at a time where nothing wakes the sleeper: an eighth of the time since the last traffic,
/// so that who waits little is kept waiting little; in use at most so long that a message is seen within a
/// millisecond; without any traffic for a second longer, so that an idle endpoint costs next to nothing.
class Nap {
 public:
  using Duration = std::chrono::nanoseconds;
  static constexpr Duration shortest = std::chrono::microseconds(50);  // the kernel's own timer slack
  static constexpr Duration longest_in_use = std::chrono::microseconds(800);
  static constexpr Duration longest = std::chrono::milliseconds(4);
  static constexpr Duration in_use = std::chrono::seconds(1);

  static constexpr Duration after(Duration idle) {
    if (idle >= in_use) return longest;
    const Duration part = idle / 8;
    return part < shortest ? shortest : part > longest_in_use ? longest_in_use : part;
  }
};

/// Sleeps until something may have come for an endpoint, or for other descriptors. Where the provider has a
/// descriptor one system call waits for all; elsewhere it naps, and remembers how long there was no traffic.
/// Nothing wakes for room in a provider's queue: who has a send to repeat waits for a millisecond at most.
/// One for an endpoint, for its thread; the endpoint outlives it.
class EventWait {
 public:
  explicit EventWait(Endpoint& endpoint) : endpoint_(endpoint) {}

  /// Call it after a poll that found nothing, and poll when it returns: because something may have come, one
  /// of the `others` is ready (their `revents` are set in any case), the deadline has passed, a signal was
  /// handled, or the nap is over. How many of the others are ready. Throws Error if the system cannot wait
  /// for them. Allocates only if there are more of them than ever before.
  std::size_t wait(std::span<pollfd> others, Deadline deadline) {
    prepare(others, deadline);
    return sleep(others);
  }

  /// Its two halves, where other threads use the endpoint while this one sleeps. This needs the endpoint,
  /// like a poll.
  void prepare(std::span<const pollfd> others, Deadline deadline);
  /// This does not; the same `others`. Who polls meanwhile only makes it return for nothing.
  std::size_t sleep(std::span<pollfd> others);

 private:
  using Time = Deadline::Clock::time_point;

  Deadline end_of_sleep(Deadline deadline);

  Endpoint& endpoint_;
  std::vector<pollfd> set_;  // the others, then the endpoint
  Deadline end_ = Deadline::now();
  std::uint64_t traffic_ = 0;
  Time last_traffic_ = Time::min();
};

}  // namespace wyvern
