#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace wyvern::bench {

/// What can be measured in place of a Wyvern queue, and Wyvern itself.
enum class System : std::uint8_t {
  wyvern,
  flag,          ///< a word in shared memory on which the other side spins
  futex,         ///< a word on which the other side sleeps
  unix_socket,   ///< a pair of SOCK_SEQPACKET sockets
  boost_queue,   ///< Boost.Interprocess message_queue
  posix_queue,   ///< mq_send and mq_receive
  libfabric_shm  ///< fi_send and fi_recv over the provider shm
};

enum class Benchmark : std::uint8_t { latency, throughput, handoff, wakeup, idle, lockin };

struct BenchmarkName {
  Benchmark benchmark;
  std::string_view name;
};
std::span<const BenchmarkName> benchmark_names();
std::string_view name_of(Benchmark benchmark);

/// A system that ours is compared with, as options and results call it.
struct Baseline {
  System system;
  std::string_view name;
  bool latency;
  bool throughput;  ///< passes messages of any number of producers to any number of consumers
  bool wakeup;      ///< its consumers sleep

  bool serves(Benchmark benchmark) const;
};
std::span<const Baseline> known_baselines();
/// Null if there is none of that name.
const Baseline* find_baseline(std::string_view name);
/// The names, separated by commas, of those that serve the benchmark.
std::string baselines_of(Benchmark benchmark);

}  // namespace wyvern::bench
