#pragma once

#include <sys/types.h>

#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/runtime/agent/agent.hpp>

namespace wyvern::agent {

/// Makes a node's agent, a fork of this process that never returns from there. The other end of the socket is
/// the agent's. Fills in the options' socket name, job and ticket. Throws NodeLost if no process can be made.
///
/// For a head that is run directly: the agent is nobody's child to wait for, so that the head may reap and
/// ignore its children as it likes.
FileDescriptor bring_up_agent(AgentOptions& options);

/// For a launcher: the agent is its child.
struct LaunchedAgent {
  FileDescriptor socket;
  pid_t pid = 0;
};
LaunchedAgent launch_agent(AgentOptions& options);

}  // namespace wyvern::agent
