#include "bench/common/worker.hpp"

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>

#include <wyvern/core/deadline.hpp>
#include <wyvern/core/futex.hpp>

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

std::span<const std::byte> meet_partner(const Scratch& scratch, std::uint32_t worker,
                                        std::span<const std::byte> address) {
  WorkerSlot& own = scratch->slots.at(worker);
  if (address.size() > own.address.size())
    throw std::length_error("an address of " + std::to_string(address.size()) + " bytes");
  std::copy(address.begin(), address.end(), own.address.begin());
  own.address_length.store(static_cast<std::uint32_t>(address.size()), std::memory_order_release);

  const WorkerSlot& other = scratch->slots.at(1 - worker);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (true) {
    if (const std::uint32_t length = other.address_length.load(std::memory_order_acquire))
      return std::span(other.address).first(length);
    if (scratch->failed.load(std::memory_order_acquire) != 0 || std::chrono::steady_clock::now() > give_up)
      throw std::runtime_error("the other process did not come");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace wyvern::bench
