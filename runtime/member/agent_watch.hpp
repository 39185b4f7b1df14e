#pragma once

#include <thread>

#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/runtime/agent/job_cgroup.hpp>

namespace wyvern {

/// Ends this process when its agent dies, for a process that is not the agent's child: the kernel would not.
/// While the object lives, a thread sleeps on the agent's pidfd.
class AgentWatch {
 public:
  /// `cgroup`: of an agent that this process has made; what is in it ends before this process does. It must
  /// outlive this, and is not to be touched meanwhile. Throws OutOfMemory, std::system_error.
  AgentWatch(FileDescriptor agent_pidfd, agent::JobCgroup& cgroup);
  ~AgentWatch();
  AgentWatch(const AgentWatch&) = delete;
  AgentWatch& operator=(const AgentWatch&) = delete;

  /// Whether the kernel ends this process when the agent with that pid dies.
  static bool dies_with_parent(int agent_pid);

 private:
  FileDescriptor agent_pidfd_;
  FileDescriptor stop_;
  std::thread thread_;
};

}  // namespace wyvern
