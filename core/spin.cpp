#include <sched.h>

#include <wyvern/core/spin.hpp>

namespace wyvern {
namespace {

constexpr std::uint32_t holder_bits = 13;

constexpr std::uint64_t holder_of(std::uint64_t permit) { return permit & ((1U << holder_bits) - 1); }
constexpr std::uint64_t expiry_us(std::uint64_t permit) { return permit >> holder_bits; }

std::uint32_t permit_count(const Segment& segment) {
  return std::min(segment.header().usable_cores, max_spin_permits);
}

}  // namespace

void yield_core() { ::sched_yield(); }

SpinHabit& SpinHabit::mine() {
  thread_local constinit SpinHabit habit;
  return habit;
}

SpinPermitHold::SpinPermitHold(const Member& member, std::uint64_t duration_ns) {
  const std::uint64_t now_us = monotonic_ns() / 1000;
  // One more microsecond than asked: a permit must not expire under a spinner that is in time.
  value_ = ((now_us + duration_ns / 1000 + 1) << holder_bits) | (member.process_index() + 1);
  for (std::uint32_t i = 0; i < permit_count(member.segment()); ++i) {
    auto& permit = member.segment().header().permits[i].holder;
    std::uint64_t seen = permit.load(std::memory_order_relaxed);
    // Relaxed: a permit bounds the load on the cores; it guards no data.
    if ((seen == 0 || expiry_us(seen) < now_us) &&
        permit.compare_exchange_strong(seen, value_, std::memory_order_relaxed)) {
      permit_ = &permit;
      return;
    }
  }
}

SpinPermitHold::~SpinPermitHold() {
  std::uint64_t mine = value_;
  if (permit_ != nullptr)
    permit_->compare_exchange_strong(mine, 0, std::memory_order_relaxed);  // unless it expired
}

void release_spin_permits(const Segment& segment, std::uint32_t process_index) {
  for (std::uint32_t i = 0; i < permit_count(segment); ++i) {
    auto& permit = segment.header().permits[i].holder;
    std::uint64_t seen = permit.load(std::memory_order_relaxed);
    if (holder_of(seen) == process_index + 1)
      permit.compare_exchange_strong(seen, 0, std::memory_order_relaxed);
  }
}

}  // namespace wyvern
