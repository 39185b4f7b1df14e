#include "bench/queue/system.hpp"

#include <algorithm>
#include <array>

namespace wyvern::bench {
namespace {

constexpr std::array all_benchmarks = {BenchmarkName{Benchmark::latency, "latency"},
                                       BenchmarkName{Benchmark::throughput, "throughput"},
                                       BenchmarkName{Benchmark::handoff, "handoff"},
                                       BenchmarkName{Benchmark::wakeup, "wakeup"},
                                       BenchmarkName{Benchmark::idle, "idle"},
                                       BenchmarkName{Benchmark::lockin, "lockin"},
                                       BenchmarkName{Benchmark::put_roundtrip, "put-roundtrip"},
                                       BenchmarkName{Benchmark::get_roundtrip, "get-roundtrip"}};

constexpr std::array all_baselines = {
    Baseline{.system = System::flag, .name = "flag", .latency = true, .throughput = false, .wakeup = false},
    Baseline{.system = System::futex, .name = "futex", .latency = true, .throughput = false, .wakeup = true},
    Baseline{
        .system = System::unix_socket, .name = "unix", .latency = true, .throughput = true, .wakeup = true},
    Baseline{
        .system = System::boost_queue, .name = "boost", .latency = true, .throughput = true, .wakeup = true},
    Baseline{
        .system = System::posix_queue, .name = "posix", .latency = true, .throughput = true, .wakeup = true},
    Baseline{.system = System::libfabric,
             .name = "libfabric-shm",
             .latency = true,
             .throughput = true,
             .wakeup = false,
             .provider = "shm",
             .is_for_two = true},
    Baseline{.system = System::libfabric,
             .name = "libfabric-tcp",
             .latency = true,
             .throughput = true,
             .wakeup = false,
             .provider = "tcp",
             .is_for_two = true},
    Baseline{.system = System::libfabric,
             .name = "libfabric-net",
             .latency = true,
             .throughput = true,
             .wakeup = false,
             .provider = "net",
             .is_for_two = true},
    Baseline{.system = System::tcp_socket,
             .name = "tcp",
             .latency = true,
             .throughput = true,
             .wakeup = false,
             .is_far = true,
             .is_for_two = true},
    Baseline{.system = System::zmq,
             .name = "zmq",
             .latency = true,
             .throughput = true,
             .wakeup = false,
             .is_far = true,
             .is_for_two = true}};

}  // namespace

std::span<const BenchmarkName> benchmark_names() { return all_benchmarks; }

std::string_view name_of(Benchmark benchmark) {
  return std::find_if(all_benchmarks.begin(), all_benchmarks.end(),
                      [=](const BenchmarkName& known) { return known.benchmark == benchmark; })
      ->name;
}

bool Baseline::serves(Benchmark benchmark, std::string_view path) const {
  const bool path_is_far = path != local_path;
  const bool is_of_path =
      system == System::libfabric ? provider == (path_is_far ? path : "shm") : path_is_far == is_far;
  if (!is_of_path) return false;
  switch (benchmark) {
    case Benchmark::latency: return latency;
    case Benchmark::throughput: return throughput;
    case Benchmark::wakeup: return wakeup;
    case Benchmark::put_roundtrip:
    case Benchmark::get_roundtrip: return latency;
    case Benchmark::handoff:
    case Benchmark::idle:
    case Benchmark::lockin: break;  // compared with ourselves
  }
  return false;
}

std::span<const Baseline> known_baselines() { return all_baselines; }

const Baseline* find_baseline(std::string_view name) {
  const auto found = std::find_if(all_baselines.begin(), all_baselines.end(),
                                  [=](const Baseline& known) { return known.name == name; });
  return found == all_baselines.end() ? nullptr : &*found;
}

std::string baselines_of(Benchmark benchmark, std::string_view path) {
  std::string names;
  for (const Baseline& baseline : all_baselines) {
    if (!baseline.serves(benchmark, path)) continue;
    if (!names.empty()) names += ", ";
    names += baseline.name;
  }
  return names;
}

}  // namespace wyvern::bench
