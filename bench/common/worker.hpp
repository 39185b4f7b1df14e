#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>

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

/// For two workers that reach each other by addresses: says which is this one's, and returns the other's,
/// which is in the shared memory. Throws if the other one fails, or does not come within 30 s.
std::span<const std::byte> meet_partner(const Scratch& scratch, std::uint32_t worker,
                                        std::span<const std::byte> address);

}  // namespace wyvern::bench
