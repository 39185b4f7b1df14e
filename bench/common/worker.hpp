#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <thread>

#include <wyvern/core/futex.hpp>

#include "bench/common/clock.hpp"
#include "bench/common/scratch.hpp"
#include "bench/common/work_order.hpp"

namespace wyvern::bench {

/// What a worker's loop needs to know of the round that it is in.
struct Round {
  const WorkOrder& order;
  const Scratch& scratch;
  WorkerSlot& slot;
  std::uint32_t number;
  double seconds;

  Ticks ticks() const { return static_cast<Ticks>(seconds * 1e9 / order.ns_per_tick); }
};

/// The worker's side of a team. A round begins for all workers of a team at once; between rounds they sleep.
class Worker {
 public:
  explicit Worker(const WorkOrder& order) : order_(order), scratch_(order.scratch) {}
  const Scratch& scratch() const { return scratch_; }

  /// Tells the head that set-up, or the round, is done, and sleeps until the next. False: there is none.
  bool next_round();
  Round round() const;
  /// Tells the head why this worker ends.
  void fail(const char* why) const;

 private:
  const WorkOrder& order_;
  Scratch scratch_;
  std::uint32_t number_ = 0;
};

/// A worker process: `body(worker)` sets it up and runs its rounds. Its exit status.
template <class Body>
int run_worker(const WorkOrder& order, Body&& body) {
  Worker worker(order);
  try {
    body(worker);
    return 0;
  } catch (const std::exception& error) {
    worker.fail(error.what());
    return 1;
  }
}

/// Waits until another worker of the team has done something. Throws if one has failed, or after 30 s.
template <class Condition>
void wait_for_partner(const Scratch& scratch, Condition&& condition) {
  const std::uint64_t give_up = monotonic_ns() + 30'000'000'000;
  while (!condition()) {
    if (scratch->failed.load(std::memory_order_acquire) != 0 || monotonic_ns() > give_up) {
      throw std::runtime_error("the other process did not come");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace wyvern::bench
