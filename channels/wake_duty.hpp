#pragma once

#include <utility>

#include <wyvern/core/segment.hpp>
#include <wyvern/core/waiter_set.hpp>

namespace wyvern {

/// A wake that came to us is spent on somebody else when we leave or wait for something else, if there still
/// is something to wake for: see Parker.
template <class StillTrue>
class WakeDuty {
 public:
  WakeDuty(WaiterSet& others, const Segment& segment, StillTrue still_true)
      : others_(others), segment_(segment), still_true_(std::move(still_true)) {}
  ~WakeDuty() { pass_on(); }
  void pass_on() {
    if (std::exchange(owed, false) && still_true_()) others_.wake_one(segment_);
  }
  WakeDuty(const WakeDuty&) = delete;
  WakeDuty& operator=(const WakeDuty&) = delete;
  bool owed = false;

 private:
  WaiterSet& others_;
  const Segment& segment_;
  StillTrue still_true_;
};

}  // namespace wyvern
