#pragma once

#include <cstdint>
#include <string>

#include "bench/common/contest.hpp"

namespace wyvern::bench {

/// Whether the program is there (package libfabric-bin).
bool has_fi_pingpong();

/// Libfabric's own ping-pong program, which polls: both its processes are started for each repetition, for so
/// many iterations that they take about `seconds`.
Contestant make_fi_pingpong(const std::string& benchmark, const std::string& provider, std::uint64_t bytes,
                            double seconds);

}  // namespace wyvern::bench
