// Measures queues between processes: bench_queue BENCHMARK [OPTIONS], see bench/README.md.
#include <exception>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <vector>

#include <wyvern/wyvern.hpp>

#include "bench/queue/benchmarks.hpp"
#include "bench/queue/clock.hpp"
#include "bench/queue/json.hpp"
#include "bench/queue/machine.hpp"
#include "bench/queue/options.hpp"
#include "bench/queue/table.hpp"

namespace {

namespace bench = wyvern::bench;

std::vector<bench::Row> measure(const bench::Run& run) {
  switch (run.options.benchmark) {
    case bench::Benchmark::latency: return measure_latency(run);
    case bench::Benchmark::throughput: return measure_throughput(run);
    case bench::Benchmark::handoff: return measure_handoff(run);
    case bench::Benchmark::wakeup: return measure_wakeup(run);
    case bench::Benchmark::idle: return measure_idle(run);
    case bench::Benchmark::lockin: return measure_lockin(run);
  }
  return {};
}

void run_benchmark(const wyvern::Runtime& runtime, const bench::Options& options) {
  /// With less than this taken away, two processes still have a core each nearly always.
  constexpr double most_busy_cores = 0.1;
  const double ns_per_tick = bench::measure_ns_per_tick();
  const double busy = bench::busy_cores();
  if (busy > most_busy_cores) {
    std::cerr << "bench_queue: other programs keep " << std::setprecision(2) << busy
              << " cores busy: the figures will mean little\n";
  }
  std::vector<bench::Row> rows;
  {
    const bench::Progress progress;
    rows =
        measure({.runtime = runtime, .options = options, .progress = progress, .ns_per_tick = ns_per_tick});
  }
  const auto machine = bench::describe_machine(ns_per_tick, busy);
  for (const auto& [name, value] : machine) std::cout << name << ": " << value << '\n';
  bench::print_table(std::cout, rows);
  if (options.json.empty()) return;
  std::ofstream file(options.json);
  file << bench::to_json(machine, rows) << std::flush;
  if (!file) throw std::runtime_error("--json: cannot write " + options.json);
}

}  // namespace

int main(int argc, char** argv) {
  std::optional<bench::Options> options;
  try {
    options = bench::parse_options(argc, argv);
  } catch (const bench::BadOption& error) {
    std::cerr << "bench_queue: " << error.what() << '\n';
    return 2;
  }
  if (!options) return 0;
  return wyvern::run(argc, argv, [&](wyvern::Runtime& runtime) {
    try {
      run_benchmark(runtime, *options);
      return 0;
    } catch (const std::exception& error) {
      std::cerr << "bench_queue: " << error.what() << '\n';
      return 1;
    }
  });
}
