#include "bench/common/worker.hpp"

#include <algorithm>
#include <climits>
#include <cstring>

#include <wyvern/core/deadline.hpp>

namespace wyvern::bench {

bool Worker::next_round() {
  scratch_->arrivals.fetch_add(1, std::memory_order_release);
  futex_wake(scratch_->arrivals, INT_MAX);
  while (scratch_->round.load(std::memory_order_acquire) == number_) {
    futex_wait(scratch_->round, number_, Deadline::never());
  }
  ++number_;
  return scratch_->last_round == 0;
}

Round Worker::round() const {
  return {.order = order_,
          .scratch = scratch_,
          .slot = scratch_->slots.at(order_.worker),
          .number = number_,
          .seconds = scratch_->seconds};
}

void Worker::fail(const char* why) const {
  std::uint32_t none = 0;
  if (!scratch_->failed.compare_exchange_strong(none, 1)) return;  // the first one tells
  std::strncpy(scratch_->failure.data(), why, scratch_->failure.size() - 1);
  scratch_->failed.store(2, std::memory_order_release);
  futex_wake(scratch_->failed, INT_MAX);
}

}  // namespace wyvern::bench
