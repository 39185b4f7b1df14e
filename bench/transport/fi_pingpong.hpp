#pragma once

#include <cstdint>
#include <string>

#include "bench/common/contest.hpp"

namespace wyvern::bench {

/// Whether the program is there (package libfabric-bin).
bool has_fi_pingpong();

/// Of its output, a line of names and one of values: microseconds of half a round trip. Throws if there is
/// none.
double fi_pingpong_usec(const std::string& output);

/// Libfabric's own ping-pong program, which polls: both its processes are started for each repetition, for so
/// many iterations that they take about `seconds`.
Contestant make_fi_pingpong(const std::string& benchmark, const std::string& provider, std::uint64_t bytes,
                            double seconds);

}  // namespace wyvern::bench
