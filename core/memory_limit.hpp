#pragma once

#include <cstdint>
#include <string>

namespace wyvern {

/// The memory that all processes around this one may use together.
struct MemoryLimit {
  std::uint64_t bytes = 0;
  std::string group = {};  ///< the folder of the control group that says so; empty if it is the machine's own
};

/// The machine's memory, or the limit of the tightest of the control groups that this process is in. `root`:
/// where /proc and /sys are looked for.
MemoryLimit memory_limit(const std::string& root = "");

/// Bytes of shared memory that a node may commit unless the user says otherwise: half of that, so that the
/// programs themselves keep the other half.
std::uint64_t default_memory_ceiling();

/// Cores that this process may really use at a time: its affinity mask, bounded by the cgroup's CPU quota. At
/// least 1.
std::uint32_t usable_cores();

}  // namespace wyvern
