#pragma once

#include <cstdint>

#include "bench/common/contest.hpp"
#include "bench/queue/benchmarks.hpp"

namespace wyvern::bench {

/// Ours with put_many and get_many of the run's batch size. The messages are values in a Queue, so that a
/// batch received is one block of memory: there is a type for each size that is a power of two up to 4096.
/// Throws for other sizes.
Contestant make_batch_contestant(const Run& run, std::uint64_t bytes);

}  // namespace wyvern::bench
