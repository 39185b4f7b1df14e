#pragma once

#include <string>
#include <vector>

#include <wyvern/runtime/runtime.hpp>

#include "bench/common/progress.hpp"
#include "bench/common/row.hpp"
#include "bench/common/team.hpp"
#include "bench/transport/options.hpp"
#include "bench/transport/transport_order.hpp"

namespace wyvern::bench {

/// What every benchmark gets, in the head of a job.
struct TransportRun {
  const Runtime& runtime;
  const TransportOptions& options;
  const Progress& progress;
  double ns_per_tick;
};

/// A benchmark: what each of two processes does, and what the last round of both has shown.
struct LinkBenchmark {
  int (*play)(TransportOrder order);
  Row (*result)(const std::string& system, const Team& team);
};

/// Half a round trip of a message.
LinkBenchmark pingpong_benchmark();
/// Messages one way, as fast as they are taken.
LinkBenchmark stream_benchmark();
/// From the announcement that memory can be read until the word that it was.
LinkBenchmark read_benchmark();

/// The rows of all repetitions of all cases. Throws when a message was lost or changed.
std::vector<Row> measure_transport(const TransportRun& run);

}  // namespace wyvern::bench
