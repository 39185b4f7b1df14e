#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "bench/common/contest.hpp"
#include "bench/common/ping_pong.hpp"
#include "bench/common/ping_pong_row.hpp"
#include "bench/queue/benchmarks.hpp"
#include "bench/queue/courier.hpp"
#include "bench/queue/queue_team.hpp"
#include "bench/queue/systems/wyvern_queue.hpp"

namespace wyvern::bench {
namespace {

/// A stamp with this bit asks the other side to dawdle before it answers.
constexpr std::uint64_t dawdle = std::uint64_t{1} << 62;
/// The next message after a stamp with this bit is to be awaited by polling.
constexpr std::uint64_t poll_next = std::uint64_t{1} << 61;

/// Longer than anybody spins.
constexpr std::chrono::milliseconds pause{50};
constexpr int rounds_to_recover = 1000;
/// By then the kernel has put both processes on cores of their own.
constexpr std::chrono::milliseconds polled{20};

/// Both sides poll for a while: whatever was before, nobody sleeps when this ends.
void get_into_the_swing(Courier<WyvernEndpoint>& courier, Stamps& stamps, Ticks duration) {
  bool last = false;
  for (const Ticks start = now_ticks(); !last;) {
    last = now_ticks() - start >= duration;
    courier.send(stamps.take(false) | (last ? 0 : poll_next));
    courier.poll();
  }
}

/// Measures, puts both sides to sleep once, lets them recover, and measures again.
void play_round(Courier<WyvernEndpoint>& courier, const Round& round) {
  WorkerSlot& slot = round.slot;
  const Ticks overhead = measure_overhead(round.order.ns_per_tick, slot.histogram);
  slot.before.clear();
  slot.ns_per_unit = round.order.ns_per_tick / 2;
  Stamps stamps(round.number);
  const auto polled_ns = std::chrono::duration<double, std::nano>(polled).count();
  get_into_the_swing(courier, stamps, static_cast<Ticks>(polled_ns / round.order.ns_per_tick));
  ping_for(courier, stamps, round.ticks() / 2, overhead, slot.before, false);
  round_trip(courier, stamps.take(false) | dawdle);  // this side sleeps meanwhile
  std::this_thread::sleep_for(pause);                // and now the other
  for (int i = 0; i < rounds_to_recover; ++i) round_trip(courier, stamps.take(false));
  ping_for(courier, stamps, round.ticks() / 2, overhead, slot.histogram, true);
}

void answer_round(Courier<WyvernEndpoint>& courier) {
  std::uint64_t stamp = 0;
  while ((stamp & last_message) == 0) {
    stamp = (stamp & poll_next) != 0 ? courier.poll() : courier.receive();
    if ((stamp & dawdle) != 0) std::this_thread::sleep_for(pause);
    courier.send(stamp);
  }
}

int play_first(QueueOrder order) {
  return run_worker(order.work, [&](Worker& worker) {
    WyvernEndpoint endpoint(order, worker.scratch());
    Courier courier(endpoint, order.work.shape.bytes);
    while (worker.next_round()) play_round(courier, worker.round());
  });
}

int answer(QueueOrder order) {
  return run_worker(order.work, [&](Worker& worker) {
    WyvernEndpoint endpoint(order, worker.scratch());
    Courier courier(endpoint, order.work.shape.bytes);
    while (worker.next_round()) answer_round(courier);
  });
}

std::vector<Row> measure_size(const Run& run, std::uint64_t bytes) {
  QueueTeam team(run, Measured(), Shape{.bytes = bytes, .directions = 2});
  team.add(play_first, 0, 0, 1);
  team.add(answer, 0, 1, 0);
  team.wait_until_ready();
  const Contestant after{.name = "wyvern",
                         .play = [&] { team.run_round(run.options.seconds); },
                         .result = [&] { return ping_pong_row("lockin", "wyvern", team); }};
  const Contestant before{.name = "before",
                          .play = [] {},
                          .result =
                              [&] {
                                const WorkerSlot& slot = team.slot(0);
                                return Row{.benchmark = "lockin",
                                           .system = "before",
                                           .bytes = bytes,
                                           .messages = 2 * slot.before.count,
                                           .latency = percentiles(slot.before, slot.ns_per_unit)};
                              }};
  return compete(after, {before}, {.repetitions = run.options.repetitions}, run.progress,
                 "lockin, " + std::to_string(bytes) + " bytes");
}

}  // namespace

std::vector<Row> measure_lockin(const Run& run) {
  std::vector<Row> rows;
  for (const std::uint64_t bytes : run.options.sizes) {
    const auto more = measure_size(run, bytes);
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace wyvern::bench
