#include <iostream>
#include <memory>

#include "bench/common/contest.hpp"
#include "bench/transport/benchmarks.hpp"
#include "bench/transport/fi_pingpong.hpp"

namespace wyvern::bench {
namespace {

/// What is compared at a time.
struct Case {
  std::string provider;  // as libfabric says it
  WaitMode wait;
  std::uint64_t bytes;
};

LinkBenchmark link_benchmark(TransportBenchmark benchmark) {
  switch (benchmark) {
    case TransportBenchmark::pingpong: return pingpong_benchmark();
    case TransportBenchmark::stream: return stream_benchmark();
    case TransportBenchmark::read: break;
  }
  return read_benchmark();
}

Contestant make_contestant(const TransportRun& run, const Case& what, TransportSystem system,
                           const std::string& name) {
  const LinkBenchmark benchmark = link_benchmark(run.options.benchmark);
  const auto pair =
      std::make_shared<Team>(run.runtime, Shape{.bytes = what.bytes, .directions = 2}, run.ns_per_tick);
  const TransportOrder order{.system = system, .provider = what.provider, .wait = what.wait};
  pair->add(benchmark.play, order, 0, 0, 1);
  pair->add(benchmark.play, order, 0, 1, 0);
  pair->wait_until_ready();
  return {.name = name,
          .play = [pair, seconds = run.options.seconds] { pair->run_round(seconds); },
          .result = [pair, name, benchmark] { return benchmark.result(name, *pair); }};
}

/// False: this baseline is left out, and why was said.
bool can_take_part(const TransportBaseline& baseline, const Case& what) {
  if (baseline.system.has_value()) return true;
  if (what.wait.sleeps()) {
    std::cerr << "fi_pingpong is left out: it only polls\n";
    return false;
  }
  if (!has_fi_pingpong()) {
    std::cerr << "fi_pingpong is left out: it is not installed (package libfabric-bin)\n";
    return false;
  }
  return true;
}

std::vector<Row> measure_case(const TransportRun& run, const Case& what) {
  const std::string benchmark(name_of(run.options.benchmark));
  const Contestant ours = make_contestant(run, what, TransportSystem::endpoint, "wyvern");
  std::vector<Contestant> others;
  for (const TransportBaseline* baseline : run.options.baselines) {
    if (!can_take_part(*baseline, what)) continue;
    others.push_back(baseline->system
                         ? make_contestant(run, what, *baseline->system, std::string(baseline->name))
                         : make_fi_pingpong(benchmark, what.provider, what.bytes, run.options.seconds));
  }
  auto rows = compete(ours, others, {.repetitions = run.options.repetitions}, run.progress,
                      benchmark + ", " + std::to_string(what.bytes) + " bytes, " + what.provider + ", " +
                          to_string(what.wait));
  for (Row& row : rows) {
    row.path = what.provider;
    row.wait = to_string(what.wait);
  }
  return rows;
}

}  // namespace

std::vector<Row> measure_transport(const TransportRun& run) {
  std::vector<Row> rows;
  for (const std::string& provider : run.options.providers) {
    for (const WaitMode& wait : run.options.waits) {
      for (const std::uint64_t bytes : run.options.sizes) {
        const auto more = measure_case(run, {.provider = provider, .wait = wait, .bytes = bytes});
        rows.insert(rows.end(), more.begin(), more.end());
      }
    }
  }
  return rows;
}

}  // namespace wyvern::bench
