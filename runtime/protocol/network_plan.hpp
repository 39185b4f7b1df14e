#pragma once

#include <wyvern/core/agent_link.hpp>
#include <wyvern/core/file_descriptor.hpp>

namespace wyvern::control {

/// What a process is told of the other nodes of its job, the job's key included: a sealed memfd, which only
/// who is given it can read. Throws OutOfMemory.
FileDescriptor write_network_plan(const NetworkPlan& plan);
/// Throws Malformed.
NetworkPlan read_network_plan(int fd);

}  // namespace wyvern::control
