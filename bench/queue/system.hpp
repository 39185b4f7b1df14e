#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace wyvern::bench {

/// What can be measured in place of a Wyvern queue, and Wyvern itself.
enum class System : std::uint8_t {
  wyvern,
  flag,         ///< a word in shared memory on which the other side spins
  futex,        ///< a word on which the other side sleeps
  unix_socket,  ///< a pair of SOCK_SEQPACKET sockets
  boost_queue,  ///< Boost.Interprocess message_queue
  posix_queue,  ///< mq_send and mq_receive
  libfabric,    ///< fi_send and fi_recv over a provider
  tcp_socket,   ///< a bare connection
  zmq           ///< PUSH and PULL sockets of ZeroMQ, over tcp
};

enum class Benchmark : std::uint8_t {
  latency,
  throughput,
  handoff,
  wakeup,
  idle,
  lockin,
  put_roundtrip,
  get_roundtrip
};

/// What is not a provider's name.
inline constexpr std::string_view local_path = "local";

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
  bool throughput;                 ///< passes messages of any number of producers to any number of consumers
  bool wakeup;                     ///< its consumers sleep
  std::string_view provider = {};  ///< libfabric: which
  bool is_far = false;             ///< for paths between nodes; else for the local one
  bool is_for_two = false;         ///< one producer and one consumer

  bool serves(Benchmark benchmark, std::string_view path) const;
};
std::span<const Baseline> known_baselines();
/// Null if there is none of that name.
const Baseline* find_baseline(std::string_view name);
/// The names, separated by commas, of those that serve the benchmark on that path.
std::string baselines_of(Benchmark benchmark, std::string_view path);

}  // namespace wyvern::bench
