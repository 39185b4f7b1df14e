#pragma once

#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/runtime/agent/agent.hpp>

namespace wyvern::agent {

/// Turns the calling process, freshly forked and with one thread, into an agent: leaves nothing of its
/// parent's descriptors, signal handlers and process group, and serves until the job is over. What keeps it
/// from that is told to the owner as control::Failed. All signals must be blocked, and all standard
/// streams open.
[[noreturn]] void agent_main(AgentOptions options, FileDescriptor owner, FileDescriptor owner_pidfd);

}  // namespace wyvern::agent
