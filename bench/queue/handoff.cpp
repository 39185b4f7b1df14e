#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/common/ping_pong.hpp"
#include "bench/common/ping_pong_row.hpp"
#include "bench/queue/benchmarks.hpp"
#include "bench/queue/queue_team.hpp"
#include "bench/queue/systems/wyvern_queue.hpp"

namespace wyvern::bench {
namespace {

/// What other sizes are compared with: passing them on shall not cost more.
constexpr std::uint64_t reference_bytes = 64;

int play_first(QueueOrder order) {
  return run_worker(order.work, [&](Worker& worker) {
    LoanCourier courier(order);
    while (worker.next_round()) ping(courier, worker.round());
  });
}

int answer(QueueOrder order) {
  return run_worker(order.work, [&](Worker& worker) {
    LoanCourier courier(order);
    while (worker.next_round()) pong(courier);
  });
}

std::unique_ptr<QueueTeam> make_team(const Run& run, std::uint64_t bytes) {
  auto team = std::make_unique<QueueTeam>(run, Measured(), Shape{.bytes = bytes, .directions = 2});
  team->add(play_first, 0, 0, 1);
  team->add(answer, 0, 1, 0);
  team->wait_until_ready();
  return team;
}

}  // namespace

std::vector<Row> measure_handoff(const Run& run) {
  std::vector<std::unique_ptr<QueueTeam>> teams;
  teams.push_back(make_team(run, reference_bytes));
  for (const std::uint64_t bytes : run.options.sizes) {
    if (bytes != reference_bytes) teams.push_back(make_team(run, bytes));
  }
  std::vector<Row> rows;
  for (std::uint32_t repetition = 0; repetition < run.options.repetitions; ++repetition) {
    run.progress.show("handoff: repetition " + std::to_string(repetition + 1) + " of " +
                      std::to_string(run.options.repetitions));
    const std::size_t reference = rows.size();
    for (const auto& team : teams) {
      team->run_round(run.options.seconds);
      Row row = ping_pong_row("handoff", "wyvern", *team);
      row.repetition = repetition;
      if (rows.size() > reference) compare(row, rows[reference], "own_64_bytes");
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace wyvern::bench
