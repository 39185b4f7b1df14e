#pragma once

#include <cstdint>
#include <memory>

#include <wyvern/runtime/runtime.hpp>

#include "bench/common/team.hpp"
#include "bench/queue/queue_order.hpp"
#include "bench/queue/systems/resources.hpp"

namespace wyvern::bench {

/// A team that measures one system of bench_queue.
class QueueTeam : public Team {
 public:
  QueueTeam(const Runtime& runtime, System system, const Shape& shape, double ns_per_tick)
      : Team(runtime, shape, ns_per_tick), order_{.work = {.shape = shape}, .system = system} {
    resources_ = make_resources(runtime, order_);
  }

  using Team::add;
  void add(int (*function)(QueueOrder), std::uint32_t number, std::uint32_t outgoing,
           std::uint32_t incoming) {
    Team::add(function, order_, number, outgoing, incoming);
  }
  /// Waits until all workers are set up. Throws if one fails.
  void wait_until_ready() {
    Team::wait_until_ready();
    resources_.reset();  // all have opened what they need: names are not left behind, however this ends
  }

 private:
  QueueOrder order_;
  std::unique_ptr<Resources> resources_;
};

}  // namespace wyvern::bench
