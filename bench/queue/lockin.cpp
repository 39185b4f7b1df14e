#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "bench/queue/benchmarks.hpp"
#include "bench/queue/contest.hpp"
#include "bench/queue/courier.hpp"
#include "bench/queue/endpoints.hpp"
#include "bench/queue/ping_pong.hpp"
#include "bench/queue/team.hpp"

namespace wyvern::bench {
namespace {

/// A stamp with this bit asks the other side to dawdle before it answers.
constexpr std::uint64_t dawdle = std::uint64_t{1} << 62;
/// Longer than anybody spins.
constexpr std::chrono::milliseconds pause{50};
constexpr int rounds_to_recover = 1000;

/// Measures, puts both sides to sleep once, lets them recover, and measures again.
int play_first(WorkOrder order) {
  return work(order, [&](auto& endpoint, const Round& round) {
    Courier courier(endpoint, order.shape.bytes);
    WorkerSlot& slot = round.slot;
    slot.histogram.clear();
    slot.before.clear();
    slot.ns_per_unit = order.ns_per_tick / 2;
    Stamps stamps(round.number);
    ping_for(courier, stamps, round.ticks() / 2, slot.before, false);
    round_trip(courier, stamps.take(false) | dawdle);  // this side sleeps meanwhile
    std::this_thread::sleep_for(pause);                // and now the other
    for (int i = 0; i < rounds_to_recover; ++i) round_trip(courier, stamps.take(false));
    ping_for(courier, stamps, round.ticks() / 2, slot.histogram, true);
  });
}

int answer(WorkOrder order) {
  return work(order, [&](auto& endpoint, const Round&) {
    Courier courier(endpoint, order.shape.bytes);
    pong(courier, [](std::uint64_t stamp) {
      if ((stamp & dawdle) != 0) std::this_thread::sleep_for(pause);
    });
  });
}

}  // namespace

std::vector<Row> measure_lockin(const Run& run) {
  std::vector<Row> rows;
  for (const std::uint64_t bytes : run.options.sizes) {
    Team team(run.runtime, System::wyvern, Shape{.bytes = bytes, .directions = 2}, run.ns_per_tick);
    team.add(play_first, 0, 0, 1);
    team.add(answer, 0, 1, 0);
    team.wait_until_ready();
    const auto row = [&](const Histogram& histogram) {
      return Row{.benchmark = "lockin",
                 .system = "wyvern",
                 .bytes = bytes,
                 .messages = 2 * histogram.count,
                 .latency = percentiles(histogram, team.slot(0).ns_per_unit)};
    };
    const Contestant after{"wyvern", [&] {
                             team.run_round(run.options.seconds);
                             return row(team.slot(0).histogram);
                           }};
    const Contestant before{"before", [&] {
                              Row measured = row(team.slot(0).before);
                              measured.system = "before";
                              return measured;
                            }};
    const auto more = compete(after, {before}, run.options.repetitions, run.progress,
                              "lockin, " + std::to_string(bytes) + " bytes");
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace wyvern::bench
