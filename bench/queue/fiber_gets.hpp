#pragma once

#include <vector>

#include "bench/queue/benchmarks.hpp"

namespace wyvern::bench {

/// Gets of messages that are there, on another node, by so many fibers of one thread as the run's options
/// say, and by one without fibers. Throws when a message was lost or changed.
std::vector<Row> measure_gets_of_fibers(const Run& run);

}  // namespace wyvern::bench
