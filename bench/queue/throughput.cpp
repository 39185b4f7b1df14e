#include <memory>
#include <string>
#include <vector>

#include "bench/common/contest.hpp"
#include "bench/common/stream.hpp"
#include "bench/queue/batches.hpp"
#include "bench/queue/benchmarks.hpp"
#include "bench/queue/courier.hpp"
#include "bench/queue/endpoints.hpp"
#include "bench/queue/queue_team.hpp"

namespace wyvern::bench {
namespace {

template <class Courier>
void send_stream(Courier& courier, std::uint32_t number, const Round& round) {
  constexpr std::uint64_t between_clock_reads = 16;
  const auto send = [&](std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) courier.send(make_stamp(number, first + i));
  };
  produce_for(round, between_clock_reads, send, [&] { courier.send(end_of_stream); });
}

template <class Courier>
void receive_stream(Courier& courier, const Round& round) {
  consume_until_end(round, [&](StreamCheck& check) {
    const std::uint64_t stamp = courier.receive();
    if (stamp == end_of_stream) return false;
    check.add(stamp);
    return true;
  });
}

int produce(QueueOrder order) {
  return work(order, [&](auto& endpoint, const Round& round) {
    Courier courier(endpoint, order.work.shape.bytes);
    send_stream(courier, order.work.number, round);
  });
}

int consume(QueueOrder order) {
  return work(order, [&](auto& endpoint, const Round& round) {
    Courier courier(endpoint, order.work.shape.bytes);
    receive_stream(courier, round);
  });
}

int produce_in_place(QueueOrder order) {
  return run_worker(order.work, [&](Worker& worker) {
    LoanCourier courier(order);
    while (worker.next_round()) send_stream(courier, order.work.number, worker.round());
  });
}

int consume_in_place(QueueOrder order) {
  return run_worker(order.work, [&](Worker& worker) {
    LoanCourier courier(order);
    while (worker.next_round()) receive_stream(courier, worker.round());
  });
}

Contestant make_contestant(const Run& run, const Measured& measured, const Shape& shape) {
  const auto team = std::make_shared<QueueTeam>(run, measured, shape);
  const bool in_place = run.options.in_place && measured.system == System::wyvern;
  for (std::uint32_t i = 0; i < shape.producers; ++i)
    team->add_far(in_place ? produce_in_place : produce, i, 0, 0);
  for (std::uint32_t i = 0; i < shape.consumers; ++i)
    team->add(in_place ? consume_in_place : consume, i, 0, 0);
  team->wait_until_ready();
  const std::string row_name = measured.system == System::wyvern ? "wyvern" : measured.name;
  return {.name = measured.name,
          .play = [team, seconds = run.options.seconds] { team->run_round(seconds); },
          .result = [team, row_name] { return stream_row("throughput", row_name, *team); }};
}

std::vector<Row> measure_size(const Run& run, std::uint64_t bytes) {
  const Options& options = run.options;
  const Shape one_by_one{.bytes = bytes, .producers = options.producers, .consumers = options.consumers};
  std::vector<Contestant> others;
  const Contestant ours =
      options.batch > 1 ? make_batch_contestant(run, bytes) : make_contestant(run, {}, one_by_one);
  if (options.batch > 1) {
    Measured single;
    single.name = "single";
    others.push_back(make_contestant(run, single, one_by_one));
  }
  for (const Baseline* baseline : options.baselines) {
    others.push_back(make_contestant(run, *baseline, one_by_one));
  }
  return compete(ours, others, {.repetitions = options.repetitions}, run.progress,
                 "throughput, " + std::to_string(bytes) + " bytes, " + std::to_string(options.producers) +
                     "x" + std::to_string(options.consumers));
}

}  // namespace

std::vector<Row> measure_throughput(const Run& run) {
  std::vector<Row> rows;
  for (const std::uint64_t bytes : run.options.sizes) {
    const auto more = measure_size(run, bytes);
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace wyvern::bench
