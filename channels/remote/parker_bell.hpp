#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include <wyvern/core/event_descriptor.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/parker.hpp>

namespace wyvern {

/// A parker for a thread that sleeps on descriptors: whoever wakes the parker, as those do who put into a
/// queue, makes `descriptor` readable. A thread of this class sleeps on the parker in its stead, so nothing
/// changes for those who wake. It runs only when somebody was woken.
///
/// For one thread, which calls in turns `prepare`, after which it registers, looks again and sleeps on its
/// descriptors, and `finish`.
class ParkerBell {
 public:
  /// The descriptor is the caller's and outlives this. Throws OutOfMemory.
  ParkerBell(const std::shared_ptr<Member>& member, const EventDescriptor& descriptor);
  ~ParkerBell();
  ParkerBell(const ParkerBell&) = delete;
  ParkerBell& operator=(const ParkerBell&) = delete;

  std::uint32_t parker() const { return parker_.index(); }
  /// Whoever wakes it from here on rings.
  void prepare() { parker_.prepare(make_interest(InterestKind::several, 0)); }
  /// True: it was woken. The registrations have ended before.
  bool finish();

 private:
  void ring_when_woken();

  Parker parker_;
  const EventDescriptor& descriptor_;
  std::atomic<std::uint32_t> has_rung_ = 0;  // a futex word: the next time is after `finish`
  std::atomic<bool> is_ending_ = false;
  std::thread thread_;
};

}  // namespace wyvern
