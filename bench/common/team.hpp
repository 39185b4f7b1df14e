#pragma once

#include <cstdint>
#include <vector>

#include <wyvern/runtime/process.hpp>
#include <wyvern/runtime/runtime.hpp>

#include "bench/common/scratch.hpp"
#include "bench/common/work_order.hpp"

namespace wyvern::bench {

/// The processes that measure one system in one shape, as the head sees them. They are set up once, sleep
/// between the rounds in which others measure, and end with this object.
class Team {
 public:
  Team(const Runtime& runtime, const Shape& shape, double ns_per_tick);
  /// Ends the workers; kills them if something went wrong, because they may then wait for each other.
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  /// Adds a process that runs `function`, on this node or that: the `number`th of its kind. `order` is what
  /// all of the team get.
  template <class Order>
  void add(int (*function)(Order), Order order, std::uint32_t number, std::uint32_t outgoing,
           std::uint32_t incoming, std::uint32_t node = 0) {
    order.work = order_for_next(number, outgoing, incoming);
    add(runtime_.process({.node = node != 0 ? node : runtime_.node()}, function, order));
  }
  /// The same in two steps, for functions that take more than their order.
  WorkOrder order_for_next(std::uint32_t number, std::uint32_t outgoing, std::uint32_t incoming) const;
  void add(Process process);
  /// Waits until all workers are set up. Throws if one fails.
  void wait_until_ready();
  /// Lets all workers run a round, and waits for its end. Throws if one fails.
  void run_round(double seconds);

  const WorkerSlot& slot(std::size_t worker) const { return scratch_->slots.at(worker); }
  const Shape& shape() const { return order_.shape; }

 private:
  void begin_round();
  void wait_for_arrivals(double seconds);
  void check_workers() const;

  const Runtime& runtime_;
  Scratch scratch_;
  WorkOrder order_;
  std::vector<Process> workers_;
  bool in_order_ = false;
};

}  // namespace wyvern::bench
