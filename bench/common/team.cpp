#include "bench/common/team.hpp"

#include <chrono>
#include <climits>
#include <stdexcept>
#include <string>
#include <utility>

#include <wyvern/core/deadline.hpp>
#include <wyvern/core/futex.hpp>

namespace wyvern::bench {
namespace {

/// Longer than any set-up or end of a round takes on a busy machine.
constexpr std::chrono::seconds patience{60};
/// How often the head looks whether its workers are alive.
constexpr std::chrono::milliseconds look_after{500};

}  // namespace

Team::Team(const Runtime& runtime, const Shape& shape, double ns_per_tick) : runtime_(runtime) {
  order_.shape = shape;
  order_.ns_per_tick = ns_per_tick;
  order_.scratch = scratch_.file();
}

Team::~Team() {
  scratch_->last_round = 1;
  begin_round();
  if (in_order_) return;
  for (Process& worker : workers_) worker.kill();
}

WorkOrder Team::order_for_next(std::uint32_t number, std::uint32_t outgoing, std::uint32_t incoming) const {
  WorkOrder order = order_;
  order.worker = static_cast<std::uint32_t>(workers_.size());
  order.number = number;
  order.outgoing = outgoing;
  order.incoming = incoming;
  return order;
}

void Team::add(Process process) {
  workers_.push_back(std::move(process));
  workers_.back().start();
}

void Team::wait_until_ready() { wait_for_arrivals(0); }

void Team::run_round(double seconds) {
  scratch_->seconds = seconds;
  scratch_->arrivals.store(0, std::memory_order_relaxed);
  scratch_->producers_done.store(0, std::memory_order_relaxed);
  begin_round();
  wait_for_arrivals(seconds);
}

void Team::begin_round() {
  scratch_->round.fetch_add(1, std::memory_order_release);
  futex_wake(scratch_->round, INT_MAX);
}

void Team::wait_for_arrivals(double seconds) {
  const auto give_up = std::chrono::steady_clock::now() + patience + std::chrono::duration<double>(seconds);
  in_order_ = false;
  while (true) {
    const std::uint32_t seen = scratch_->arrivals.load(std::memory_order_acquire);
    if (seen == workers_.size()) break;
    check_workers();
    if (std::chrono::steady_clock::now() > give_up) {
      throw std::runtime_error("a round did not end: the workers wait for each other");
    }
    futex_wait(scratch_->arrivals, seen, Deadline::after(look_after));
  }
  in_order_ = true;
}

void Team::check_workers() const {
  if (scratch_->failed.load(std::memory_order_acquire) == 2) {
    throw std::runtime_error(scratch_->failure.data());
  }
  for (const Process& worker : workers_) {
    if (!worker.is_alive()) throw std::runtime_error("a worker process ended in the middle of a round");
  }
}

}  // namespace wyvern::bench
