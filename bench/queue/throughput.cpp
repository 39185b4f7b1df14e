#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>

#include "bench/queue/benchmarks.hpp"
#include "bench/queue/contest.hpp"
#include "bench/queue/courier.hpp"
#include "bench/queue/endpoints.hpp"
#include "bench/queue/stream.hpp"
#include "bench/queue/team.hpp"

namespace wyvern::bench {
namespace {

int produce(WorkOrder order) {
  return work(order, [&](auto& endpoint, const Round& round) {
    Courier courier(endpoint, order.shape.bytes);
    produce_for(courier, round);
  });
}

int consume(WorkOrder order) {
  return work(order, [&](auto& endpoint, const Round& round) {
    Courier courier(endpoint, order.shape.bytes);
    consume_until_end(courier, round);
  });
}

Row measure(Team& team, const std::string& name, double seconds) {
  team.run_round(seconds);
  const StreamResult result = verify_stream(team);
  const Shape& shape = team.shape();
  return {.benchmark = "throughput",
          .system = name,
          .bytes = shape.bytes,
          .producers = shape.producers,
          .consumers = shape.consumers,
          .batch = shape.batch,
          .messages = result.messages,
          .messages_per_s = static_cast<double>(result.messages) / result.seconds};
}

Contestant make_contestant(const Run& run, System system, const std::string& name, std::uint64_t bytes) {
  const Shape shape{.bytes = bytes,
                    .producers = run.options.producers,
                    .consumers = run.options.consumers,
                    .batch = run.options.batch};
  const auto team = std::make_shared<Team>(run.runtime, system, shape, run.ns_per_tick);
  for (std::uint32_t i = 0; i < shape.producers; ++i) team->add(produce, i, 0, 0);
  for (std::uint32_t i = 0; i < shape.consumers; ++i) team->add(consume, i, 0, 0);
  team->wait_until_ready();
  return {name, [=, seconds = run.options.seconds] { return measure(*team, name, seconds); }};
}

}  // namespace

std::vector<Row> measure_throughput(const Run& run) {
  std::vector<Row> rows;
  for (const std::uint64_t bytes : run.options.sizes) {
    const Contestant ours = make_contestant(run, System::wyvern, "wyvern", bytes);
    std::vector<Contestant> others;
    for (const Baseline* baseline : run.options.baselines) {
      others.push_back(make_contestant(run, baseline->system, std::string(baseline->name), bytes));
    }
    const auto more =
        compete(ours, others, run.options.repetitions, run.progress,
                "throughput, " + std::to_string(bytes) + " bytes, " + std::to_string(run.options.producers) +
                    "x" + std::to_string(run.options.consumers));
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace wyvern::bench
