#pragma once

#include <cstdint>

namespace wyvern {

/// Bytes of shared memory that a node may commit unless the user says otherwise: half of the machine's memory
/// or of a tighter cgroup limit, so that the programs themselves keep the other half.
std::uint64_t default_memory_ceiling();

/// Cores that this process may really use at a time: its affinity mask, bounded by the cgroup's CPU quota. At
/// least 1.
std::uint32_t usable_cores();

}  // namespace wyvern
