#pragma once

#include <vector>

#include <wyvern/runtime/runtime.hpp>

#include "bench/common/progress.hpp"
#include "bench/common/row.hpp"
#include "bench/queue/options.hpp"

namespace wyvern::bench {

/// What every benchmark gets, in the head of a job.
struct Run {
  const Runtime& runtime;
  const Options& options;
  const Progress& progress;
  double ns_per_tick;

  /// Where a team's first worker, or its producers, are; the others are on this node.
  std::uint32_t far_node() const { return options.is_far() ? 2 : runtime.node(); }
};

// Each returns the rows of all repetitions of all sizes, and throws when a message was lost or changed.

/// Half a round trip through two queues, put and got with copies.
std::vector<Row> measure_latency(const Run& run);
/// Messages of several producers to several consumers, each verified.
std::vector<Row> measure_throughput(const Run& run);
/// Half a round trip of loans, which are stamped at both ends and not copied.
std::vector<Row> measure_handoff(const Run& run);
/// From the put to the return of a consumer that slept.
std::vector<Row> measure_wakeup(const Run& run);
/// CPU time of consumers that wait, and of the agent.
std::vector<Row> measure_idle(const Run& run);
/// Whether a ping-pong that slept once spins again.
std::vector<Row> measure_lockin(const Run& run);
/// Between nodes: a put until it is known to be in the queue, and a get of a message that is there.
std::vector<Row> measure_roundtrips(const Run& run);

}  // namespace wyvern::bench
