#pragma once

#include <memory>
#include <string>
#include <vector>

#include <wyvern/runtime/runtime.hpp>

#include "bench/common/contest.hpp"
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

/// What is compared at a time.
struct TransportCase {
  std::string provider;  ///< as libfabric says it
  WaitMode wait;
  std::uint64_t bytes;
};

/// Two processes of one system, ready for rounds. A worker process is told its part by its order.
std::shared_ptr<Team> make_link_team(const TransportRun& run, const TransportCase& what,
                                     TransportSystem system, int (*function)(TransportOrder));

/// Makes who takes part in a benchmark.
using MakeContestant = Contestant (*)(const TransportRun& run, const TransportCase& what,
                                      TransportSystem system, const std::string& name);

// One of each benchmark:

/// Half a round trip of a message.
Contestant make_pingpong(const TransportRun& run, const TransportCase& what, TransportSystem system,
                         const std::string& name);
/// Messages one way, as fast as they are taken.
Contestant make_stream(const TransportRun& run, const TransportCase& what, TransportSystem system,
                       const std::string& name);
/// From the announcement that memory can be read until the word that it was.
Contestant make_read(const TransportRun& run, const TransportCase& what, TransportSystem system,
                     const std::string& name);

/// The rows of all repetitions of all cases. Throws when a message was lost or changed.
std::vector<Row> measure_transport(const TransportRun& run);

}  // namespace wyvern::bench
