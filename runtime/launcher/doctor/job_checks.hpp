#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include <wyvern/runtime/launcher/doctor/finding.hpp>

namespace wyvern::launcher {

/// An agent of this user's that runs on this machine.
struct AgentSeen {
  pid_t pid = 0;
  bool stopped = false;  ///< by a signal or a debugger
  bool serves = true;    ///< a process that lives, or nobody can see whether
};
/// Agents end with their jobs: one that does not is stopped, or hangs.
Finding check_leftovers(const std::vector<AgentSeen>& agents);

/// Whether all variables that look like ours are; `names`: of all that are set.
Finding check_environment(const std::vector<std::string>& names);

}  // namespace wyvern::launcher
