#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>

#include <wyvern/runtime/launcher/doctor/facts.hpp>

namespace wyvern::launcher {
namespace {

namespace files = std::filesystem;

/// What /proc/PID/stat says first.
struct ProcessSeen {
  pid_t pid = 0;
  std::string name;
  char state = 0;
  pid_t parent = 0;
};

std::optional<ProcessSeen> look_at(const files::path& folder) {
  ProcessSeen process;
  const std::string number = folder.filename().string();
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), process.pid);
  if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
  std::ifstream file(folder / "stat");
  std::string line;
  std::getline(file, line);
  // "pid (name) state parent ...": the name may contain anything.
  const std::size_t begin = line.find('(');
  const std::size_t last = line.rfind(')');
  if (begin == std::string::npos || last == std::string::npos || line.size() < last + 5) return std::nullopt;
  process.name = line.substr(begin + 1, last - begin - 1);
  process.state = line[last + 2];
  std::from_chars(line.data() + last + 4, line.data() + line.size(), process.parent);
  return process;
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
  std::vector<ProcessSeen> found;
  std::set<pid_t> parents;
  std::error_code error;
  for (const auto& entry : files::directory_iterator(proc, error)) {
    const auto process = look_at(entry.path());
    if (!process || process->state == 'Z') continue;
    parents.insert(process->parent);
    if (process->name.starts_with("wyvern-agent") && is_ours(entry.path())) found.push_back(*process);
  }
  std::vector<AgentSeen> agents;
  for (const ProcessSeen& process : found) {
    const files::path folder = files::path(proc) / std::to_string(process.pid);
    agents.push_back({.pid = process.pid,
                      .stopped = process.state == 'T' || process.state == 't',
                      .serves = parents.contains(process.pid) || may_watch_somebody(folder, process.pid)});
  }
  return agents;
}

}  // namespace wyvern::launcher
