#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "bench/common/contest.hpp"
#include "bench/common/ping_pong.hpp"
#include "bench/queue/benchmarks.hpp"
#include "bench/queue/courier.hpp"
#include "bench/queue/endpoints.hpp"
#include "bench/queue/queue_team.hpp"

namespace wyvern::bench {
namespace {

/// Between two messages: longer than any consumer spins, so that it sleeps, and the core with it.
constexpr std::chrono::milliseconds gap{2};
constexpr std::size_t consumer = 1;
/// A repetition consists of so many turns of each system: how deep an idle core sleeps changes quickly.
constexpr std::uint32_t turns = 10;

/// The stamp is the time; both processes read the same clock.
int send_now_and_then(QueueOrder order) {
  return work(order, [&](auto& endpoint, const Round& round) {
    Courier courier(endpoint, order.work.shape.bytes);
    const std::uint64_t end = monotonic_ns() + static_cast<std::uint64_t>(round.seconds * 1e9);
    bool last = false;
    while (!last) {
      std::this_thread::sleep_for(gap);
      const std::uint64_t now = monotonic_ns();
      last = now >= end;
      courier.send(last ? now | last_message : now);
    }
  });
}

int sleep_and_receive(QueueOrder order) {
  return work(order, [&](auto& endpoint, const Round& round) {
    Courier courier(endpoint, order.work.shape.bytes);
    round.slot.histogram.clear();
    round.slot.ns_per_unit = 1;
    std::uint64_t stamp = 0;
    while ((stamp & last_message) == 0) {
      stamp = courier.receive();
      round.slot.histogram.record(monotonic_ns() - (stamp & ~last_message));
    }
  });
}

Contestant make_contestant(const Run& run, const Measured& measured, std::uint64_t bytes) {
  const auto team = std::make_shared<QueueTeam>(run, measured, Shape{.bytes = bytes});
  team->add(send_now_and_then, 0, 0, 0);
  team->add(sleep_and_receive, 0, 0, 0);
  team->wait_until_ready();
  const auto all = std::make_shared<Histogram>();
  const auto play = [team, all, seconds = run.options.seconds / turns] {
    team->run_round(seconds);
    all->add(team->slot(consumer).histogram);
  };
  const auto result = [team, all, name = measured.name] {
    Row row{.benchmark = "wakeup",
            .system = name,
            .bytes = team->shape().bytes,
            .messages = all->count,
            .latency = percentiles(*all, team->slot(consumer).ns_per_unit)};
    all->clear();
    return row;
  };
  return {.name = measured.name, .play = play, .result = result};
}

}  // namespace

std::vector<Row> measure_wakeup(const Run& run) {
  std::vector<Row> rows;
  for (const std::uint64_t bytes : run.options.sizes) {
    const Contestant ours = make_contestant(run, {}, bytes);
    std::vector<Contestant> others;
    others.reserve(run.options.baselines.size());
    for (const Baseline* baseline : run.options.baselines) {
      others.push_back(make_contestant(run, *baseline, bytes));
    }
    const auto more = compete(ours, others, {.repetitions = run.options.repetitions, .turns = turns},
                              run.progress, "wakeup, " + std::to_string(bytes) + " bytes");
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace wyvern::bench
