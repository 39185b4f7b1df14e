#pragma once

#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/runtime/agent/agent.hpp>

namespace wyvern::agent {

/// What a process that becomes an agent was given.
struct AgentInheritance {
  FileDescriptor owner;  ///< see AgentDescriptors
  FileDescriptor owner_pidfd;
  JobCgroup cgroup;  ///< to be entered
};

/// Turns the calling process, freshly forked and with one thread, into an agent: leaves nothing of its
/// parent's descriptors, signal handlers and process group, and serves until the job is over. What keeps it
/// from that is told to the owner as control::Failed. All signals must be blocked, and all standard
/// streams open.
[[noreturn]] void agent_main(AgentOptions options, AgentInheritance inherited);

}  // namespace wyvern::agent
