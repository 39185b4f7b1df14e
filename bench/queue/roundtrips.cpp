#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/common/contest.hpp"
#include "bench/common/ping_pong.hpp"
#include "bench/common/ping_pong_row.hpp"
#include "bench/queue/benchmarks.hpp"
#include "bench/queue/courier.hpp"
#include "bench/queue/endpoints.hpp"
#include "bench/queue/fiber_gets.hpp"
#include "bench/queue/queue_team.hpp"

namespace wyvern::bench {
namespace {

/// What reading the clock twice takes.
Ticks measure_clock() {
  Ticks smallest = ~Ticks{0};
  for (int i = 0; i < 1000; ++i) {
    const Ticks before = now_ticks();
    smallest = std::min(smallest, now_ticks() - before);
  }
  return smallest;
}

/// Puts a message into a queue of the other node, and gets it back: `measured` is one of the two, the other
/// one is not counted.
template <bool puts>
int put_and_get(QueueOrder order) {
  return run_worker(order.work, [&](Worker& worker) {
    const Channel channel = order.channels.at(0);
    Buffer outgoing(order.work.shape.bytes);
    const Ticks overhead = measure_clock();
    while (worker.next_round()) {
      const Round round = worker.round();
      WorkerSlot& slot = round.slot;
      slot.histogram.clear();
      slot.ns_per_unit = order.work.ns_per_tick;
      Stamps stamps(round.number);
      const Ticks start = now_ticks();
      Ticks before = start;
      while (before - start < round.ticks()) {
        const std::uint64_t stamp = stamps.take(false);
        write_stamp(outgoing.bytes(), stamp);
        before = now_ticks();
        if (!channel.try_put(outgoing.bytes())) throw std::runtime_error("a queue with room said it is full");
        const Ticks put = now_ticks();
        const auto message = channel.try_get();
        const Ticks got = now_ticks();
        if (!message || read_stamp(*message) != stamp) throw std::runtime_error("another message came back");
        const Ticks took = puts ? put - before : got - put;
        if (before - start >= round.ticks() / 10) slot.histogram.record(took - std::min(overhead, took));
      }
    }
  });
}

int play_first(QueueOrder order) {
  return work(order, [&](auto& endpoint, const Round& round) {
    Courier courier(endpoint, order.work.shape.bytes);
    ping(courier, round, 1);
  });
}

int answer(QueueOrder order) {
  return work(order, [&](auto& endpoint, const Round&) {
    Courier courier(endpoint, order.work.shape.bytes);
    pong(courier);
  });
}

Contestant make_contestant(const Run& run, const Measured& measured, std::uint64_t bytes) {
  const bool is_ours = measured.system == System::wyvern;
  const auto team =
      std::make_shared<QueueTeam>(run, measured, Shape{.bytes = bytes, .directions = is_ours ? 1U : 2U});
  const bool puts = run.options.benchmark == Benchmark::put_roundtrip;
  if (is_ours) {
    team->add_far(puts ? put_and_get<true> : put_and_get<false>, 0, 0, 0);
  } else {
    team->add_far(play_first, 0, 0, 1);
    team->add(answer, 0, 1, 0);
  }
  team->wait_until_ready();
  const std::string benchmark(name_of(run.options.benchmark));
  return {
      .name = measured.name,
      .play = [team, seconds = run.options.seconds] { team->run_round(seconds); },
      .result = [team, benchmark, name = measured.name] { return ping_pong_row(benchmark, name, *team, 1); }};
}

}  // namespace

std::vector<Row> measure_roundtrips(const Run& run) {
  if (!run.options.fibers.empty()) return measure_gets_of_fibers(run);
  std::vector<Row> rows;
  for (const std::uint64_t bytes : run.options.sizes) {
    const Contestant ours = make_contestant(run, {}, bytes);
    std::vector<Contestant> others;
    others.reserve(run.options.baselines.size());
    for (const Baseline* baseline : run.options.baselines)
      others.push_back(make_contestant(run, *baseline, bytes));
    const auto more =
        compete(ours, others, {.repetitions = run.options.repetitions}, run.progress,
                std::string(name_of(run.options.benchmark)) + ", " + std::to_string(bytes) + " bytes");
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace wyvern::bench
