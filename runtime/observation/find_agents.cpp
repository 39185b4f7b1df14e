#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

#include <wyvern/core/process_stat.hpp>
#include <wyvern/runtime/observation/find_agents.hpp>

namespace wyvern::observation {
namespace {

namespace files = std::filesystem;

/// Of a folder of a process.
std::optional<ProcessStat> look_at(const files::path& folder) {
  pid_t pid = 0;
  const std::string number = folder.filename().string();
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), pid);
  if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
  return read_process_stat(pid, folder.parent_path().string());
}

/// Whether it has a pidfd of a process that lives, other than itself; also if that cannot be seen.
bool may_watch_somebody(const files::path& folder, pid_t self) {
  bool seen = false;  // it has one of itself at least
  std::error_code error;
  for (const auto& entry : files::directory_iterator(folder / "fdinfo", error)) {
    std::ifstream lines(entry.path());
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("Pid:")) continue;
      seen = true;
      pid_t pid = 0;  // also what is shown for a process of another namespace
      const std::size_t digits = std::min(line.find_first_of("-0123456789"), line.size());
      std::from_chars(line.data() + digits, line.data() + line.size(), pid);
      if (pid >= 0 && pid != self) return true;  // -1 once it has been reaped
    }
  }
  return !seen;
}

bool is_ours(const files::path& folder) {
  struct stat status {};
  return ::stat(folder.c_str(), &status) == 0 && status.st_uid == ::getuid();
}

}  // namespace

std::vector<AgentSeen> find_agents(const std::string& proc) {
  std::vector<ProcessStat> found;
  std::set<pid_t> parents;
  std::error_code error;
  for (const auto& entry : files::directory_iterator(proc, error)) {
    const auto process = look_at(entry.path());
    if (!process || process->state == 'Z') continue;
    parents.insert(process->parent);
    if (process->name.starts_with("wyvern-agent") && is_ours(entry.path())) found.push_back(*process);
  }
  std::vector<AgentSeen> agents;
  for (const ProcessStat& process : found) {
    const files::path folder = files::path(proc) / std::to_string(process.pid);
    agents.push_back({.pid = process.pid,
                      .stopped = process.is_stopped(),
                      .serves = parents.contains(process.pid) || may_watch_somebody(folder, process.pid)});
  }
  return agents;
}

}  // namespace wyvern::observation
