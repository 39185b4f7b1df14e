#include "bench/queue/options.hpp"

#include <algorithm>
#include <string_view>

#include <CLI/CLI.hpp>

#include <wyvern/transport/provider_table.hpp>

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
/// Between nodes.
void set_far_defaults(Options& options, Typed& typed) {
  if (options.benchmark == Benchmark::idle) {
    options.consumers = options.nodes() * (options.nodes() - 1);  // from each node to each other one
    return;
  }
  typed.baselines = {"libfabric-" + options.path};
  if (options.benchmark == Benchmark::throughput) typed.baselines = {"tcp", "zmq"};
  if (find_baseline(typed.baselines.front()) == nullptr) typed.baselines = {"none"};
}

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
    case Benchmark::lockin:
    case Benchmark::put_roundtrip:
    case Benchmark::get_roundtrip: typed.sizes = {"64"}; break;
  }
  if (options.is_far()) set_far_defaults(options, typed);
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

std::string no_baseline(const std::string& name, const Options& options) {
  const std::string possible = baselines_of(options.benchmark, options.path);
  return "--baselines: '" + name + "' is no baseline of " + std::string(name_of(options.benchmark)) +
         " on the path " + options.path + ": it has " + (possible.empty() ? "none" : possible + ", or none");
}

std::vector<const Baseline*> parse_baselines(const std::vector<std::string>& names, const Options& options) {
  if (names == std::vector<std::string>{"none"}) return {};
  std::vector<const Baseline*> parsed;
  for (const std::string& name : names) {
    const Baseline* baseline = find_baseline(name);
    if (baseline == nullptr || !baseline->serves(options.benchmark, options.path)) {
      throw BadOption(no_baseline(name, options));
    }
    if (baseline->is_for_two && options.producers + options.consumers > 2)
      throw BadOption("--baselines: '" + name + "' has one producer and one consumer only");
    if (std::find(parsed.begin(), parsed.end(), baseline) != parsed.end()) {
      throw BadOption("--baselines: '" + name + "' is there twice");
    }
    parsed.push_back(baseline);
  }
  return parsed;
}

/// What stands behind --path: the defaults depend on it.
std::string path_of(int argc, const char* const* argv) {
  const std::vector<std::string_view> arguments(argv, argv + argc);
  const auto option = std::find(arguments.begin(), arguments.end(), "--path");
  return option == arguments.end() || option + 1 == arguments.end() ? std::string(local_path)
                                                                    : std::string(option[1]);
}

void check_path(const Options& options) {
  const bool needs_nodes =
      options.benchmark == Benchmark::put_roundtrip || options.benchmark == Benchmark::get_roundtrip;
  const bool is_possible = needs_nodes || options.benchmark == Benchmark::latency ||
                           options.benchmark == Benchmark::throughput || options.benchmark == Benchmark::idle;
  if (!options.is_far()) {
    if (needs_nodes) {
      throw BadOption(std::string(name_of(options.benchmark)) +
                      " is between nodes: say --path and a provider, such as tcp");
    }
    return;
  }
  const auto table = provider_table();
  if (std::none_of(table.begin(), table.end(),
                   [&](const ProviderTraits& traits) { return traits.request == options.path; })) {
    throw BadOption("--path: local, or a provider such as tcp, net or shm, not '" + options.path + "'");
  }
  if (!is_possible) {
    throw BadOption(std::string(name_of(options.benchmark)) + " is measured on the path local only");
  }
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
  only_for("--in-place", {Benchmark::throughput});
  if (options.in_place && options.batch > 1) throw BadOption("--in-place: not with --batch");
  only_for("--fibers", {Benchmark::get_roundtrip});
  check_range("--producers", options.producers, max_producers);
  check_range("--consumers", options.consumers, max_consumers);
  check_range("--batch", options.batch, max_batch);
  if (app.get_option("--fibers")->count() != 0) {
    for (const std::uint32_t fibers : options.fibers) check_range("--fibers", fibers, max_fibers);
    if (!options.baselines.empty())
      throw BadOption("--baselines: fibers are compared with a thread that has none, and with nothing else");
  }
  check_repetitions(options.seconds, options.repetitions);
}

}  // namespace

std::optional<Options> parse_options(int argc, const char* const* argv) {
  Options options;
  Typed typed;
  CLI::App app("Measures queues between processes, ours and others in the same set-up.", "bench_queue");
  app.add_option("benchmark", typed.benchmark,
                 "latency, throughput, handoff, wakeup, idle, lockin, put-roundtrip or get-roundtrip; see "
                 "bench/README.md");
  app.add_option("--sizes", typed.sizes, "Bytes of a message, for example 8,64,4K")->delimiter(',');
  app.add_option("--producers", options.producers, "Processes that put (throughput)");
  app.add_option("--consumers", options.consumers, "Processes that get (throughput, idle)");
  app.add_option("--batch", options.batch, "Messages of one put_many and get_many (throughput)");
  app.add_flag("--in-place", options.in_place,
               "Build and read messages where they lie: loans and take instead of put and get (throughput)");
  app.add_option("--fibers", options.fibers,
                 "Fibers of one thread that get, for example 1,8,64, beside a thread without (get-roundtrip)")
      ->delimiter(',');
  app.add_option("--path", typed.path,
                 "How the processes are connected: local, or a provider between nodes: tcp, net, shm, …");
  app.add_option(
         "--baselines", typed.baselines,
         "local: of flag, futex, unix, boost, posix, libfabric-shm; else of libfabric-tcp, tcp, zmq, …; "
         "or none")
      ->delimiter(',');
  app.add_option("--seconds", options.seconds, "Of one repetition of one system");
  app.add_option("--repetitions", options.repetitions, "Of every system, in turn (default 7)");
  app.add_option("--json", options.json, "File for the results");

  if (argc > 1) typed.benchmark = argv[1];
  const bool asks_for_help = typed.benchmark.starts_with("-") && typed.benchmark != "-";
  if (!asks_for_help) {
    options.benchmark = parse_benchmark(typed.benchmark);
    options.path = path_of(argc, argv);
    check_path(options);
    set_defaults(options, typed);
  }
  if (!parse_command_line(app, argc, argv, "bench_queue latency --sizes 64")) return std::nullopt;
  options.sizes = parse_sizes(typed.sizes);
  if (!options.fibers.empty() && app.get_option("--baselines")->count() == 0) typed.baselines = {"none"};
  options.baselines = parse_baselines(typed.baselines, options);
  check(options, app);
  return options;
}

}  // namespace wyvern::bench
