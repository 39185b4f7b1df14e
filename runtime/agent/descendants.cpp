#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include <wyvern/runtime/agent/descendants.hpp>

namespace wyvern::agent {
namespace {

/// The parent of a process; 0 if it has gone.
pid_t parent_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  // "pid (name) state parent ...": the name may contain anything, so the search starts at its end.
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos || line.size() < name_end + 5) return 0;
  pid_t parent = 0;
  std::from_chars(line.data() + name_end + 4, line.data() + line.size(), parent);
  return parent;
}

}  // namespace

std::optional<EndedChild> ended_child() {
  siginfo_t info{};
  if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return std::nullopt;
  return EndedChild{.pid = info.si_pid,
                    .status = info.si_code == CLD_EXITED ? info.si_status : -info.si_status};
}

void reap(pid_t child) {
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG);
}

bool has_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

std::vector<pid_t> list_children() {
  std::vector<pid_t> children;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), &::closedir);
  if (folder == nullptr) return children;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name(entry->d_name);
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && end == name.data() + name.size() && parent_of(pid) == ::getpid()) {
      children.push_back(pid);
    }
  }
  return children;
}

bool signal_children(int signal) {
  // Ended ones do no harm: a pid stays theirs until they are reaped, which is done by this thread.
  const std::vector<pid_t> children = list_children();
  for (const pid_t child : children) signal_child(child, signal);
  return !children.empty();
}

void signal_child(pid_t child, int signal) {
  ::kill(child, signal);
  if (::getpgid(child) == child) ::kill(-child, signal);
}

}  // namespace wyvern::agent
