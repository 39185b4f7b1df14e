#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <wyvern/core/cgroup.hpp>
#include <wyvern/core/memory_limit.hpp>
#include <wyvern/core/puid.hpp>
#include <wyvern/runtime/agent/job_cgroup.hpp>
#include <wyvern/runtime/launcher/doctor/facts.hpp>
#include <wyvern/runtime/launcher/info/machine_report.hpp>

namespace wyvern::launcher {
namespace {

Report to_value(Limit limit) { return limit ? Report(*limit) : Report("unlimited"); }

/// By making one.
std::string try_job_cgroup(const std::string& root) {
  agent::JobCgroup tried = agent::JobCgroup::make_if_wanted(::getpid(), head_node, root);
  if (!tried) return "have no group of their own: " + tried.refusal();
  tried.end(Deadline::now());
  return "have a group of their own";
}

}  // namespace

Report report_machine() {
  utsname name{};
  ::uname(&name);
  return {{"host", name.nodename},
          {"system", std::string(name.sysname) + " " + name.release},
          {"processor", name.machine},
          {"usable_cores", usable_cores()},
          {"memory_bytes", machine_memory()}};
}

Report report_limits() {
  return {{"open_files", to_value(own_limit(RLIMIT_NOFILE))},
          {"processes", to_value(own_limit(RLIMIT_NPROC))},
          {"locked_memory_bytes", to_value(own_limit(RLIMIT_MEMLOCK))},
          {"address_space_bytes", to_value(own_limit(RLIMIT_AS))},
          {"core_file_bytes", to_value(own_limit(RLIMIT_CORE))}};
}

Report report_cgroup(const std::string& root) {
  const auto folders = cgroup_folders("memory", root);
  return {{"folder", folders.empty() ? "none" : folders.front()},
          {"memory_bytes", to_value(group_limit("memory", root))},
          {"processes", to_value(group_limit("pids", root))},
          {"jobs", try_job_cgroup(root)}};
}

}  // namespace wyvern::launcher
