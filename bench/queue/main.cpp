// Measures queues between processes: bench_queue BENCHMARK [OPTIONS], see bench/README.md.
#include <iostream>
#include <optional>
#include <vector>

#include <wyvern/wyvern.hpp>

#include "bench/common/report.hpp"
#include "bench/queue/benchmarks.hpp"
#include "bench/queue/far_path.hpp"
#include "bench/queue/options.hpp"

namespace {

namespace bench = wyvern::bench;

std::vector<bench::Row> measure_one(const bench::Run& run) {
  switch (run.options.benchmark) {
    case bench::Benchmark::latency: return measure_latency(run);
    case bench::Benchmark::throughput: return measure_throughput(run);
    case bench::Benchmark::handoff: return measure_handoff(run);
    case bench::Benchmark::wakeup: return measure_wakeup(run);
    case bench::Benchmark::idle: return measure_idle(run);
    case bench::Benchmark::lockin: return measure_lockin(run);
    case bench::Benchmark::put_roundtrip:
    case bench::Benchmark::get_roundtrip: return measure_roundtrips(run);
  }
  return {};
}

std::vector<bench::Row> measure(const bench::Run& run) {
  if (run.options.is_far()) bench::check_nodes(run.runtime, run.options.nodes(), run.options.path);
  std::vector<bench::Row> rows = measure_one(run);
  for (bench::Row& row : rows) row.path = run.options.path;
  return rows;
}

}  // namespace

int main(int argc, char** argv) {
  std::optional<bench::Options> options;
  try {
    options = bench::parse_options(argc, argv);
    if (options && options->is_far()) bench::run_on_nodes(options->nodes(), options->path, argv);
  } catch (const bench::BadOption& error) {
    std::cerr << "bench_queue: " << error.what() << '\n';
    return 2;
  }
  if (!options) return 0;
  return wyvern::run(argc, argv, [&](wyvern::Runtime& runtime) {
    return bench::Report{.program = "bench_queue", .json = options->json}.run(
        [&](const bench::Progress& progress, double ns_per_tick) {
          return measure(
              {.runtime = runtime, .options = *options, .progress = progress, .ns_per_tick = ns_per_tick});
        });
  });
}
