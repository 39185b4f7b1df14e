#pragma once

#include <chrono>
#include <cstdint>
#include <type_traits>

namespace wyvern {

/// The moment until which a call may wait, taken once at the call's start and carried through all its stages.
/// Monotonic: changes of the wall clock do not matter.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  /// Wait as long as it takes.
  static constexpr Deadline never() { return Deadline(Clock::time_point::max()); }
  /// Do not wait at all.
  static constexpr Deadline now() { return Deadline(Clock::time_point::min()); }
  static constexpr Deadline at(Clock::time_point time) { return Deadline(time); }

  /// A duration so long that the clock cannot express its end means never; zero or less means now.
  template <class Rep, class Period>
  static Deadline after(std::chrono::duration<Rep, Period> duration) {
    if (duration <= duration.zero()) return now();
    const auto start = Clock::now();
    const auto room = std::chrono::duration<double>(Clock::time_point::max() - start);
    if (std::chrono::duration<double>(duration) >= room) return never();
    return Deadline(start + std::chrono::ceil<Clock::duration>(duration));
  }

  /// A time so far away that clocks cannot express the distance means never, or now.
  template <class Clk, class Duration>
  static Deadline until(std::chrono::time_point<Clk, Duration> time) {
    using Seconds = std::chrono::duration<double>;  // cannot overflow, unlike the clocks' own
    constexpr Seconds far = std::chrono::hours(24 * 365 * 100);
    const Seconds distance = Seconds(time.time_since_epoch()) - Seconds(Clk::now().time_since_epoch());
    if (distance >= far) return never();
    if (distance <= -far) return now();
    if constexpr (std::is_same_v<Clk, Clock>) {
      return Deadline(std::chrono::ceil<Clock::duration>(time));
    } else {
      return after(time - Clk::now());
    }
  }

  constexpr bool is_never() const { return time_ == Clock::time_point::max(); }
  constexpr bool is_now() const { return time_ == Clock::time_point::min(); }
  bool passed() const { return is_now() || (!is_never() && Clock::now() >= time_); }
  constexpr Clock::time_point time() const { return time_; }
  /// As futex.hpp's monotonic_ns() would read then; the largest number for never.
  constexpr std::uint64_t in_monotonic_ns() const {
    if (is_never()) return ~std::uint64_t{0};
    const auto ticks = time_.time_since_epoch();
    return ticks.count() <= 0 ? 0
                              : static_cast<std::uint64_t>(
                                    std::chrono::duration_cast<std::chrono::nanoseconds>(ticks).count());
  }
  /// The earlier of two.
  friend constexpr Deadline earliest(Deadline a, Deadline b) { return a.time_ < b.time_ ? a : b; }

 private:
  constexpr explicit Deadline(Clock::time_point time) : time_(time) {}
  Clock::time_point time_;
};

}  // namespace wyvern
