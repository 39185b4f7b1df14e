#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <wyvern/runtime/runtime.hpp>

#include "bench/common/team.hpp"
#include "bench/queue/benchmarks.hpp"
#include "bench/queue/queue_order.hpp"
#include "bench/queue/systems/resources.hpp"

namespace wyvern::bench {

/// What a team measures: ours, or a baseline.
struct Measured {
  System system = System::wyvern;
  std::string name = "wyvern";
  std::string provider = {};

  Measured() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a baseline is what is measured
  Measured(const Baseline& baseline)
      : system(baseline.system), name(baseline.name), provider(baseline.provider) {}
};

/// A team that measures one system of bench_queue. Its first worker, or its producers, are on the far node of
/// the run, if it has one.
class QueueTeam : public Team {
 public:
  QueueTeam(const Run& run, const Measured& measured, const Shape& shape)
      : Team(run.runtime, shape, run.ns_per_tick),
        order_{.work = {.shape = shape}, .system = measured.system, .provider = measured.provider},
        far_node_(run.far_node()) {
    resources_ = make_resources(run.runtime, order_, far_node_);
  }

  using Team::add;
  void add(int (*function)(QueueOrder), std::uint32_t number, std::uint32_t outgoing,
           std::uint32_t incoming) {
    Team::add(function, order_, number, outgoing, incoming);
  }
  void add_far(int (*function)(QueueOrder), std::uint32_t number, std::uint32_t outgoing,
               std::uint32_t incoming) {
    Team::add(function, order_, number, outgoing, incoming, far_node_);
  }
  /// Waits until all workers are set up. Throws if one fails.
  void wait_until_ready() {
    Team::wait_until_ready();
    resources_.reset();  // all have opened what they need: names are not left behind, however this ends
  }

 private:
  QueueOrder order_;
  std::uint32_t far_node_;
  std::unique_ptr<Resources> resources_;
};

}  // namespace wyvern::bench
