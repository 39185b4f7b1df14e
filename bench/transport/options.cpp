#include "bench/transport/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <CLI/CLI.hpp>

namespace wyvern::bench {
namespace {

constexpr std::array benchmarks = {TransportBenchmark::pingpong, TransportBenchmark::stream,
                                   TransportBenchmark::read};

constexpr std::array all_baselines = {
    TransportBaseline{.name = "fabric", .system = TransportSystem::fabric},
    TransportBaseline{.name = "fabric+16", .system = TransportSystem::fabric_same_bytes},
    TransportBaseline{.name = "fi_pingpong", .system = std::nullopt}};

constexpr std::uint32_t longest_spin_us = 1'000'000;

/// As they were typed.
struct Typed {
  std::string benchmark;
  std::vector<std::string> sizes;
  std::vector<std::string> waits = {"poll"};
  std::vector<std::string> baselines = {"fabric"};
};

TransportBenchmark parse_benchmark(const std::string& name) {
  std::string names;
  for (const TransportBenchmark benchmark : benchmarks) {
    if (name_of(benchmark) == name) return benchmark;
    names += (names.empty() ? "" : ", ") + std::string(name_of(benchmark));
  }
  throw BadOption(name.empty() ? "say what to measure: " + names
                               : "there is no benchmark '" + name + "', only " + names);
}

std::string names_of_baselines(TransportBenchmark benchmark) {
  std::string names;
  for (const TransportBaseline& baseline : all_baselines) {
    if (baseline.serves(benchmark)) names += std::string(baseline.name) + ", ";
  }
  return names + "or none";
}

std::vector<const TransportBaseline*> parse_baselines(const std::vector<std::string>& names,
                                                      TransportBenchmark benchmark) {
  if (names == std::vector<std::string>{"none"}) return {};
  std::vector<const TransportBaseline*> parsed;
  for (const std::string& name : names) {
    const auto* const found =
        std::find_if(all_baselines.begin(), all_baselines.end(),
                     [&](const TransportBaseline& baseline) { return baseline.name == name; });
    if (found == all_baselines.end() || !found->serves(benchmark)) {
      throw BadOption("--baselines: '" + name + "' is no baseline of " + std::string(name_of(benchmark)) +
                      ": it has " + names_of_baselines(benchmark));
    }
    if (std::find(parsed.begin(), parsed.end(), found) != parsed.end())
      throw BadOption("--baselines: '" + name + "' is there twice");
    parsed.push_back(found);
  }
  return parsed;
}

}  // namespace

std::string_view name_of(TransportBenchmark benchmark) {
  switch (benchmark) {
    case TransportBenchmark::pingpong: return "pingpong";
    case TransportBenchmark::stream: return "stream";
    case TransportBenchmark::read: break;
  }
  return "read";
}

std::span<const TransportBaseline> transport_baselines() { return all_baselines; }

std::string to_string(const WaitMode& mode) {
  switch (mode.kind) {
    case WaitKind::poll: return "poll";
    case WaitKind::sleep: return "sleep";
    case WaitKind::spin: break;
  }
  return "spin:" + std::to_string(mode.spin_us);
}

WaitMode parse_wait_mode(const std::string& text) {
  constexpr std::string_view spin = "spin:";
  if (text == "poll") return {.kind = WaitKind::poll};
  if (text == "sleep") return {.kind = WaitKind::sleep};
  WaitMode mode{.kind = WaitKind::spin};
  if (text.starts_with(spin)) {
    const char* const end = text.data() + text.size();
    const auto [parsed, error] = std::from_chars(text.data() + spin.size(), end, mode.spin_us);
    if (error == std::errc() && parsed == end && mode.spin_us >= 1 && mode.spin_us <= longest_spin_us)
      return mode;
  }
  throw BadOption("--wait: 'poll', 'sleep', or 'spin:' with 1 to 1000000 microseconds is possible, not '" +
                  text + "'");
}

std::optional<TransportOptions> parse_transport_options(int argc, const char* const* argv) {
  TransportOptions options;
  Typed typed;
  CLI::App app("Measures endpoints between two processes, ours and libfabric used directly in the same loop.",
               "bench_transport");
  app.add_option("benchmark", typed.benchmark, "pingpong, stream or read; see bench/README.md");
  app.add_option("--provider", options.providers, "For example tcp,net,shm (default tcp)")->delimiter(',');
  app.add_option("--sizes", typed.sizes, "Bytes of a message, or of what is read, for example 8,64,4K")
      ->delimiter(',');
  app.add_option("--wait", typed.waits, "poll (default), sleep, spin:US; several are measured in turn")
      ->delimiter(',');
  app.add_option("--baselines", typed.baselines, "Of fabric (default), fabric+16, fi_pingpong; or none")
      ->delimiter(',');
  app.add_option("--seconds", options.seconds, "Of one repetition of one system (default 0.2)");
  app.add_option("--repetitions", options.repetitions, "Of every system, in turn (default 15)");
  app.add_option("--json", options.json, "File for the results");
  if (!parse_command_line(app, argc, argv, "bench_transport pingpong --sizes 64")) return std::nullopt;

  options.benchmark = parse_benchmark(typed.benchmark);
  if (typed.sizes.empty()) {
    typed.sizes = options.benchmark == TransportBenchmark::read ? std::vector<std::string>{"1M"}
                                                                : std::vector<std::string>{"8", "64", "4K"};
  }
  options.sizes = parse_sizes(typed.sizes);
  for (const std::string& wait : typed.waits) options.waits.push_back(parse_wait_mode(wait));
  options.baselines = parse_baselines(typed.baselines, options.benchmark);
  check_repetitions(options.seconds, options.repetitions);
  return options;
}

}  // namespace wyvern::bench
