#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

namespace wyvern {

/// Lets who was just woken run first, where that costs the waker little.
///
/// A kernel often puts the woken thread on the waker's core, and lets the waker go on there until it sleeps
/// or its time is over: what is a few instructions for the waker is microseconds for the other, which has a
/// message to deal with. Giving the core away brings it there at once, and comes back as soon as it sleeps
/// again. It does not pay when the other has long work to do, or when a third one wants the core: that shows
/// in how long it takes, and each time it takes too long it is left out for more wakes than before, up to
/// `most_skipped`. So a waker loses a slice of its time once in so many wakes at most. And who wakes others
/// all the time has a lot to do for them, and goes on.
///
/// One for a thread.
class GivingWay {
 public:
  /// The calling thread's.
  static GivingWay& mine();

  /// Right after a wake, when nothing is left to do for it.
  void after_wake();

  /// Whether to give way after a wake at that time; the next answer depends on it.
  bool is_time_to(std::uint64_t now_ns) {
    const bool is_rare = now_ns - std::exchange(last_wake_ns_, now_ns) >= rare_ns;
    if (!is_rare || to_skip_ == 0) return is_rare;
    --to_skip_;
    return false;
  }
  /// It took so long.
  void learn(std::uint64_t duration_ns) {
    skipped_ = duration_ns <= too_long_ns ? 0 : std::min(2 * skipped_ + 1, most_skipped);
    to_skip_ = skipped_;
  }

  /// Some wake-ups long: who wakes more often than that does so all the time.
  static constexpr std::uint64_t rare_ns = 200'000;
  /// About what a wake-up costs: who takes longer has other things to do than the message of the waker.
  static constexpr std::uint64_t too_long_ns = 30'000;
  static constexpr std::uint32_t most_skipped = 1023;

 private:
  std::uint64_t last_wake_ns_ = 0;
  std::uint32_t to_skip_ = 0;
  std::uint32_t skipped_ = 0;  // after the last one that took too long; 0: it did not
};

}  // namespace wyvern
