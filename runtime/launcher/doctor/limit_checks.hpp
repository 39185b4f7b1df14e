#pragma once

#include <cstdint>
#include <optional>

#include <wyvern/runtime/launcher/doctor/finding.hpp>

namespace wyvern::launcher {

/// What a user's processes may have (ulimit). None: unlimited.
using Limit = std::optional<std::uint64_t>;

/// Devices read and write memory that is locked, so that only who has one needs to lock more than a little.
Finding check_locked_memory(Limit bytes, bool has_rdma_device);
/// `hard`: the agent raises its own limit to that; it has several descriptors for each process.
Finding check_open_files(Limit hard);
/// `group`: what the control group allows.
Finding check_processes(Limit user, Limit group);
/// A node reserves addresses for more than the memory that it may use.
Finding check_address_space(Limit bytes, std::uint64_t memory_ceiling);

}  // namespace wyvern::launcher
