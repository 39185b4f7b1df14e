#pragma once

#include <sys/types.h>

#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/runtime/agent/agent.hpp>
#include <wyvern/runtime/agent/job_cgroup.hpp>

namespace wyvern::agent {

/// A node's agent, as who has made it sees it.
struct AgentBroughtUp {
  FileDescriptor socket;  ///< the other end is the agent's
  JobCgroup cgroup;  ///< of the agent, which ends it when it ends; is it killed, that is its maker's work
};

/// Makes a node's agent, a fork of this process that never returns from there. Fills in the options' socket
/// name, job and ticket. Throws NodeLost if no process can be made; InvalidArgument (WYVERN_CGROUP).
///
/// For a head that is run directly: the agent is nobody's child to wait for, so that the head may reap and
/// ignore its children as it likes.
AgentBroughtUp bring_up_agent(AgentOptions& options);

/// For a launcher: the agent is its child.
struct LaunchedAgent : AgentBroughtUp {
  pid_t pid = 0;
};
LaunchedAgent launch_agent(AgentOptions& options);

}  // namespace wyvern::agent
