#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/core/process_stat.hpp>

namespace wyvern {

namespace {

/// All of /proc/PID/stat; empty: there is no such process.
std::string stat_text(pid_t pid, const std::string& proc) {
  const FileDescriptor file(
      ::open((proc + "/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  char bytes[2048];  // it has some fifty numbers
  const ssize_t size = file ? ::read(file.get(), bytes, sizeof bytes) : 0;
  return {bytes, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

}  // namespace

std::optional<ProcessStat> read_process_stat(pid_t pid, const std::string& proc) {
  const std::string text = stat_text(pid, proc);
  // "pid (name) state parent ...": the name may contain anything.
  const std::size_t begin = text.find('(');
  const std::size_t last = text.rfind(')');
  if (begin == std::string::npos || last == std::string::npos || text.size() < last + 5) return std::nullopt;
  ProcessStat stat{.pid = pid, .name = text.substr(begin + 1, last - begin - 1), .state = text[last + 2]};
  std::from_chars(text.data() + last + 4, text.data() + text.size(), stat.parent);
  return stat;
}

std::optional<std::int32_t> read_exit_status(pid_t pid) {
  const auto stat = read_process_stat(pid);
  if (!stat || stat->state != 'Z') return std::nullopt;
  // The last field, in the form of wait(2). Where this process may not see it, there is a zero, as of
  // success: of another user's process nothing is said.
  struct stat owner {};
  if (::stat(("/proc/" + std::to_string(pid)).c_str(), &owner) != 0 || owner.st_uid != ::geteuid())
    return std::nullopt;
  const std::string text = stat_text(pid, "/proc");
  const std::size_t last = text.find_last_of(' ');
  int form = 0;
  if (last == std::string::npos ||
      std::from_chars(text.data() + last + 1, text.data() + text.size(), form).ec != std::errc())
    return std::nullopt;
  return WIFSIGNALED(form) ? -WTERMSIG(form) : WEXITSTATUS(form);
}

}  // namespace wyvern
