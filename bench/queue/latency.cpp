#include <memory>
#include <string>

#include "bench/common/contest.hpp"
#include "bench/common/ping_pong.hpp"
#include "bench/common/ping_pong_row.hpp"
#include "bench/queue/benchmarks.hpp"
#include "bench/queue/courier.hpp"
#include "bench/queue/endpoints.hpp"
#include "bench/queue/queue_team.hpp"

namespace wyvern::bench {
namespace {

int play_first(QueueOrder order) {
  return work(order, [&](auto& endpoint, const Round& round) {
    Courier courier(endpoint, order.work.shape.bytes);
    ping(courier, round);
  });
}

int answer(QueueOrder order) {
  return work(order, [&](auto& endpoint, const Round&) {
    Courier courier(endpoint, order.work.shape.bytes);
    pong(courier);
  });
}

Contestant make_contestant(const Run& run, const Measured& measured, std::uint64_t bytes) {
  const auto team = std::make_shared<QueueTeam>(run, measured, Shape{.bytes = bytes, .directions = 2});
  team->add_far(play_first, 0, 0, 1);
  team->add(answer, 0, 1, 0);
  team->wait_until_ready();
  return {.name = measured.name,
          .play = [team, seconds = run.options.seconds] { team->run_round(seconds); },
          .result = [team, name = measured.name] { return ping_pong_row("latency", name, *team); }};
}

}  // namespace

std::vector<Row> measure_latency(const Run& run) {
  std::vector<Row> rows;
  for (const std::uint64_t bytes : run.options.sizes) {
    const Contestant ours = make_contestant(run, {}, bytes);
    std::vector<Contestant> others;
    others.reserve(run.options.baselines.size());
    for (const Baseline* baseline : run.options.baselines) {
      others.push_back(make_contestant(run, *baseline, bytes));
    }
    const auto more = compete(ours, others, {.repetitions = run.options.repetitions}, run.progress,
                              "latency, " + std::to_string(bytes) + " bytes");
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace wyvern::bench
