#pragma once

#include <string>
#include <vector>

#include <wyvern/runtime/launcher/doctor/finding.hpp>
#include <wyvern/runtime/observation/find_agents.hpp>

namespace wyvern::launcher {

/// Agents end with their jobs: one that does not is stopped, or hangs.
Finding check_leftovers(const std::vector<observation::AgentSeen>& agents);

/// Whether all variables that look like ours are; `names`: of all that are set.
Finding check_environment(const std::vector<std::string>& names);

}  // namespace wyvern::launcher
