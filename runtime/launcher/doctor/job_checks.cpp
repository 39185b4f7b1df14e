#include <sys/types.h>

#include <algorithm>
#include <array>
#include <string_view>

#include <wyvern/runtime/launcher/doctor/job_checks.hpp>
#include <wyvern/runtime/protocol/ticket.hpp>

namespace wyvern::launcher {
namespace {

constexpr std::array<std::string_view, 4> known_variables{control::agent_variable, control::ticket_variable,
                                                          control::memory_variable, control::cgroup_variable};

std::string pids_text(const std::vector<pid_t>& pids) {
  std::string text;
  for (const pid_t pid : pids) text += " " + std::to_string(pid);
  return text;
}

}  // namespace

Finding check_leftovers(const std::vector<observation::AgentSeen>& agents) {
  constexpr const char* name = "jobs";
  std::vector<pid_t> stopped;
  std::vector<pid_t> idle;
  for (const observation::AgentSeen& agent : agents) {
    if (agent.stopped) {
      stopped.push_back(agent.pid);
    } else if (!agent.serves) {
      idle.push_back(agent.pid);
    }
  }
  if (!stopped.empty()) {
    return problem(name, "agents are stopped, and their jobs wait for them:" + pids_text(stopped),
                   "kill -CONT" + pids_text(stopped) + ", or kill -KILL to end their jobs");
  }
  if (!idle.empty()) {
    return problem(name, "agents have been left over, with no process that they serve:" + pids_text(idle),
                   "kill" + pids_text(idle));
  }
  return all_well(name, agents.empty() ? "none runs" : "agents that run: " + std::to_string(agents.size()));
}

Finding check_environment(const std::vector<std::string>& names) {
  constexpr const char* check = "environment";
  std::string unknown;
  for (const std::string& name : names) {
    if (name.starts_with("WYVERN_") && std::ranges::find(known_variables, name) == known_variables.end())
      unknown += " " + name;
  }
  if (unknown.empty()) return all_well(check, "no variable is mistaken for one of Wyvern's");
  return problem(check, "variables are set that Wyvern does not read:" + unknown,
                 "the name that is meant: " + std::string(control::memory_variable) + " and " +
                     control::cgroup_variable + " are what users set");
}

}  // namespace wyvern::launcher
