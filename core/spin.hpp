#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include <wyvern/core/futex.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/wait_limit.hpp>

namespace wyvern {

/// Tells the core that this is a spin loop.
inline void spin_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Lets another process run on this core, if one wants to.
void yield_core();

/// The right to spin for longer than `free_spin_ns`: one a usable core of the node, so that many waiting
/// processes do not spin each other to death. A permit ends with this object, with its process's death (the
/// agent frees it), or, for a stopped spinner, at its expiry.
class SpinPermitHold {
 public:
  SpinPermitHold(const Member& member, std::uint64_t duration_ns);
  ~SpinPermitHold();
  SpinPermitHold(const SpinPermitHold&) = delete;
  SpinPermitHold& operator=(const SpinPermitHold&) = delete;
  explicit operator bool() const { return permit_ != nullptr; }

 private:
  std::atomic<std::uint64_t>* permit_ = nullptr;
  std::uint64_t value_ = 0;
};

/// For the agent: frees the permits of a dead process.
void release_spin_permits(const Segment& segment, std::uint32_t process_index);

/// Everybody may spin this long: several round trips between two cores, little against a wake-up.
inline constexpr std::uint64_t free_spin_ns = 2'000;
/// Bounds on spinning with a permit. It must outlast a wake-up, or two processes that hand work to each other
/// and both fell asleep once would sleep at every turn from then on.
inline constexpr std::uint64_t shortest_permit_spin_ns = 30'000;
inline constexpr std::uint64_t longest_permit_spin_ns = 200'000;

/// How the thread that waits would be woken.
enum class WokenBy : std::uint8_t {
  futex,
  descriptor,  ///< by the network: some system calls more, on both sides of a round trip
};

/// How long it is worth to spin with a permit: some times what a wake-up costs on this machine.
inline std::uint64_t worthwhile_spin_ns(const Member& member, WokenBy woken_by) {
  const std::uint64_t wake_cost =
      member.segment().header().wake_cost_ns.load(std::memory_order_relaxed);  // an estimate
  if (woken_by == WokenBy::futex)
    return std::clamp(2 * wake_cost, shortest_permit_spin_ns, longest_permit_spin_ns);
  return std::clamp(8 * wake_cost, 4 * shortest_permit_spin_ns, 2 * longest_permit_spin_ns);
}

/// How often a thread that looks at the network gives its core away meanwhile. A look is some system calls,
/// and so is giving way: seldom as long as nobody takes the core, which shows in how soon it comes back.
class YieldPace {
 public:
  /// After a look.
  bool is_time_to() {
    if (++looks_ < interval_) return false;
    looks_ = 0;
    return true;
  }
  /// It took so long.
  void learn(std::uint64_t duration_ns) {
    interval_ = duration_ns < taken_ns ? std::min(2 * interval_, longest) : shortest;
  }

  /// In looks. The longest is some tens of microseconds, about as long as a wake-up takes.
  static constexpr std::uint32_t shortest = 4;
  static constexpr std::uint32_t longest = 32;
  /// More than the calls take; another that runs at all takes longer.
  static constexpr std::uint64_t taken_ns = 2'000;

 private:
  std::uint32_t looks_ = 0;
  std::uint32_t interval_ = shortest;
};

/// Whether it pays for a thread to spin: not after some waits in a row that outlasted it by far. Then it
/// looks some times and goes to sleep, until a wait ends so soon that spinning would have caught the end. Who
/// gets a message every now and then so takes no time from the others, nor a core from who wakes it.
class SpinHabit {
 public:
  /// The calling thread's.
  static SpinHabit& mine();

  bool pays() const { return waits_in_vain_ < patience; }
  YieldPace& pace() { return pace_; }
  /// A wait begins that is not over at once; spinning is worth so long.
  void begin(std::uint64_t now_ns, std::uint64_t worth_ns) {
    start_ns_ = now_ns;
    worth_ns_ = worth_ns;
  }
  /// It has ended well, soon enough to be caught by spinning.
  void caught() { waits_in_vain_ = 0; }
  /// It has ended well. How long the wake-up took is part of what it shows: two who wake each other would
  /// not.
  void end(std::uint64_t now_ns) {
    if (now_ns - start_ns_ <= 2 * worth_ns_) {
      caught();
    } else if (waits_in_vain_ < patience) {
      ++waits_in_vain_;
    }
  }

 private:
  static constexpr std::uint32_t patience = 4;
  std::uint64_t start_ns_ = 0;
  std::uint64_t worth_ns_ = 0;
  std::uint32_t waits_in_vain_ = 0;
  YieldPace pace_;
};

/// Spins until `ready()`, as long as it is worth it if that pays and a permit is to be had, else shortly.
/// Returns the last answer of `ready()`; if it is no, the caller says when the wait has ended well
/// (SpinHabit::end).
template <class Ready>
bool spin_until(const Member& member, Ready&& ready, const WaitLimit& limit, SpinHabit& habit,
                WokenBy woken_by = WokenBy::futex) {
  // A read of the clock costs about as much as so many looks at memory; a look at the network may be some
  // system calls.
  const int looks_between_clock_reads = woken_by == WokenBy::futex ? 32 : 1;
  // Without pauses at first: the answer is expected within a round trip between two cores, and a pause is a
  // good part of that.
  const auto look = [&ready, looks_between_clock_reads](bool pausing) {
    for (int i = 0; i < looks_between_clock_reads; ++i) {
      if (ready()) return true;
      if (pausing) spin_pause();
    }
    return false;
  };
  const std::uint64_t start = monotonic_ns();
  const std::uint64_t latest = limit.deadline().in_monotonic_ns();
  std::uint64_t now = start;
  const auto within = [&](std::uint64_t duration) {
    return now < std::min(start + duration, latest) && !limit.stop_requested();
  };
  const std::uint64_t duration = worthwhile_spin_ns(member, woken_by);
  habit.begin(start, duration);
  if (!habit.pays()) {
    const bool caught = look(false);
    if (caught) habit.caught();
    return caught;
  }
  for (; within(free_spin_ns); now = monotonic_ns()) {
    if (look(false)) {
      habit.caught();
      return true;
    }
  }
  if (!within(duration)) return ready();
  const SpinPermitHold permit(member, duration);
  if (!permit) return ready();
  for (; within(duration); now = monotonic_ns()) {
    if (look(woken_by == WokenBy::futex)) {
      habit.caught();
      return true;
    }
    // Who is waited for may be waiting for this core.
    if (woken_by == WokenBy::futex) {
      yield_core();
    } else if (habit.pace().is_time_to()) {
      const std::uint64_t before = monotonic_ns();
      yield_core();
      habit.pace().learn(monotonic_ns() - before);
    }
  }
  return ready();
}

}  // namespace wyvern
