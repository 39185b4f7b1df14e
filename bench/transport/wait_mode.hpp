#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "bench/common/clock.hpp"

namespace wyvern::bench {

/// A wake-up that is lost shows in the maximum, and hangs nobody.
inline constexpr std::chrono::milliseconds longest_sleep{100};

/// How a process waits for what comes.
enum class WaitKind : std::uint8_t {
  poll,   ///< polls all the time
  sleep,  ///< sleeps whenever a poll finds nothing
  spin    ///< polls for a while, then sleeps
};

struct WaitMode {
  WaitKind kind = WaitKind::poll;
  std::uint32_t spin_us = 0;

  bool sleeps() const { return kind != WaitKind::poll; }
  friend bool operator==(const WaitMode&, const WaitMode&) = default;
};

/// "poll", "sleep" or "spin:20" (microseconds), as results call it. The parser throws BadOption.
std::string to_string(const WaitMode& mode);
WaitMode parse_wait_mode(const std::string& text);

/// Waits in one way. `Link`: see EndpointLink.
class Waiter {
 public:
  Waiter(const WaitMode& mode, double ns_per_tick)
      : sleeps_(mode.sleeps()), spin_(static_cast<Ticks>(mode.spin_us * 1e3 / ns_per_tick)) {}

  /// Until `condition()`; what comes meanwhile is given to `on_message`.
  template <class Link, class OnMessage, class Condition>
  void wait(Link& link, OnMessage&& on_message, Condition&& condition) const {
    if (!sleeps_) {
      while (!condition()) link.poll(on_message);
      return;
    }
    const Ticks start = spin_ == 0 ? 0 : now_ticks();
    while (!condition()) {
      if (link.poll(on_message) != 0) continue;
      if (spin_ != 0 && now_ticks() - start < spin_) continue;
      link.sleep();
    }
  }

 private:
  bool sleeps_;
  Ticks spin_;
};

}  // namespace wyvern::bench
