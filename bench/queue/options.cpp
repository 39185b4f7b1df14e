#include "bench/queue/options.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

namespace wyvern::bench {
namespace {

/// As they were typed; an option that was not given is as it was.
struct Typed {
  std::string benchmark;
  std::vector<std::string> sizes;
  std::vector<std::string> baselines;
  std::string path = "local";
};

/// What is measured when nothing is said. Repetitions are short, because pairs of them have to fall into the
/// same mood of the machine, except for idle, where little happens.
void set_defaults(Options& options, Typed& typed) {
  options.seconds = options.benchmark == Benchmark::idle ? 5 : 0.2;
  switch (options.benchmark) {
    case Benchmark::latency:
      typed.sizes = {"8", "64", "4096"};
      typed.baselines = {"flag", "libfabric-shm"};
      break;
    case Benchmark::throughput:
      typed.sizes = {"64"};
      typed.baselines = {"boost"};
      break;
    case Benchmark::handoff: typed.sizes = {"1M"}; break;
    case Benchmark::wakeup:
      typed.sizes = {"64"};
      typed.baselines = {"futex"};
      break;
    case Benchmark::idle:
      typed.sizes = {"64"};
      options.consumers = max_consumers;
      break;
    case Benchmark::lockin: typed.sizes = {"64"}; break;
  }
}

Benchmark parse_benchmark(const std::string& name) {
  std::string names;
  for (const BenchmarkName& known : benchmark_names()) {
    if (known.name == name) return known.benchmark;
    if (!names.empty()) names += ", ";
    names += known.name;
  }
  if (name.empty()) throw BadOption("say what to measure: " + names);
  throw BadOption("there is no benchmark '" + name + "', only " + names);
}

std::string no_baseline(const std::string& name, Benchmark benchmark) {
  const std::string possible = baselines_of(benchmark);
  return "--baselines: '" + name + "' is no baseline of " + std::string(name_of(benchmark)) + ": it has " +
         (possible.empty() ? "none" : possible + ", or none");
}

std::vector<const Baseline*> parse_baselines(const std::vector<std::string>& names, Benchmark benchmark) {
  if (names == std::vector<std::string>{"none"}) return {};
  std::vector<const Baseline*> parsed;
  for (const std::string& name : names) {
    const Baseline* baseline = find_baseline(name);
    if (baseline == nullptr || !baseline->serves(benchmark)) {
      throw BadOption(no_baseline(name, benchmark));
    }
    if (std::find(parsed.begin(), parsed.end(), baseline) != parsed.end()) {
      throw BadOption("--baselines: '" + name + "' is there twice");
    }
    parsed.push_back(baseline);
  }
  return parsed;
}

void check(const Options& options, const CLI::App& app) {
  const auto only_for = [&](const char* option, std::initializer_list<Benchmark> possible) {
    if (app.get_option(option)->count() == 0) return;
    if (std::find(possible.begin(), possible.end(), options.benchmark) != possible.end()) return;
    throw BadOption(std::string(option) + " means nothing to " + std::string(name_of(options.benchmark)));
  };
  only_for("--producers", {Benchmark::throughput});
  only_for("--consumers", {Benchmark::throughput, Benchmark::idle});
  only_for("--batch", {Benchmark::throughput});
  check_range("--producers", options.producers, max_producers);
  check_range("--consumers", options.consumers, max_consumers);
  check_range("--batch", options.batch, max_batch);
  check_repetitions(options.seconds, options.repetitions);
}

}  // namespace

std::optional<Options> parse_options(int argc, const char* const* argv) {
  Options options;
  Typed typed;
  CLI::App app("Measures queues between processes, ours and others in the same set-up.", "bench_queue");
  app.add_option("benchmark", typed.benchmark,
                 "latency, throughput, handoff, wakeup, idle or lockin; see bench/README.md");
  app.add_option("--sizes", typed.sizes, "Bytes of a message, for example 8,64,4K")->delimiter(',');
  app.add_option("--producers", options.producers, "Processes that put (throughput)");
  app.add_option("--consumers", options.consumers, "Processes that get (throughput, idle)");
  app.add_option("--batch", options.batch, "Messages of one put_many and get_many (throughput)");
  app.add_option("--path", typed.path, "How the processes are connected: local");
  app.add_option("--baselines", typed.baselines, "Of flag, futex, unix, boost, posix, libfabric-shm; or none")
      ->delimiter(',');
  app.add_option("--seconds", options.seconds, "Of one repetition of one system");
  app.add_option("--repetitions", options.repetitions, "Of every system, in turn (default 7)");
  app.add_option("--json", options.json, "File for the results");

  if (argc > 1) typed.benchmark = argv[1];
  const bool asks_for_help = typed.benchmark.starts_with("-") && typed.benchmark != "-";
  if (!asks_for_help) {
    options.benchmark = parse_benchmark(typed.benchmark);
    set_defaults(options, typed);
  }
  if (!parse_command_line(app, argc, argv, "bench_queue latency --sizes 64")) return std::nullopt;
  if (typed.path != "local") throw BadOption("--path: only local is possible, not '" + typed.path + "'");
  options.sizes = parse_sizes(typed.sizes);
  options.baselines = parse_baselines(typed.baselines, options.benchmark);
  check(options, app);
  return options;
}

}  // namespace wyvern::bench
