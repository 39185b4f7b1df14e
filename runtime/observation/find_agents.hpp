#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace wyvern::observation {

/// An agent of this user's that runs on this machine.
struct AgentSeen {
  pid_t pid = 0;
  bool stopped = false;  ///< by a signal or a debugger
  bool serves = true;    ///< a process that lives, or nobody can see whether
};

/// All there are. `proc`: where they are looked for.
std::vector<AgentSeen> find_agents(const std::string& proc = "/proc");

}  // namespace wyvern::observation
