#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ranges>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <wyvern/core/cgroup.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/pidfd.hpp>
#include <wyvern/runtime/agent/job_cgroup.hpp>
#include <wyvern/runtime/protocol/ticket.hpp>

namespace wyvern::agent {
namespace {

namespace files = std::filesystem;

constexpr std::string_view folder_prefix = "wyvern-job-";
constexpr int most_tries = 8;  // each time another job that begins has just taken it for a left-over one
constexpr std::chrono::milliseconds look_again{1};
/// For all that is left over: who begins a job does not wait long for others' processes.
constexpr std::chrono::milliseconds left_over_patience{50};

/// 0, or the error.
int write_word(const std::string& file, std::string_view word) {
  const FileDescriptor open(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  return open && ::write(open.get(), word.data(), word.size()) >= 0 ? 0 : errno;
}

/// It and those inside it, outer ones first.
std::vector<std::string> groups_from(const std::string& folder) {
  std::vector<std::string> groups{folder};
  std::error_code error;
  files::recursive_directory_iterator entry(folder, error);
  while (!error && entry != files::recursive_directory_iterator()) {
    std::error_code gone;
    if (entry->is_directory(gone)) groups.push_back(entry->path().string());
    entry.increment(error);
  }
  return groups;
}

/// Whether it is in the group of that name, which no other one has, or in a group inside it.
bool is_in(const std::string& group, pid_t process) {
  const auto path = version2_cgroup(std::to_string(process));
  return path && (*path + "/").find("/" + group + "/") != std::string::npos;
}

/// All but this process. What is forked meanwhile is found the next time. A number that was read may be
/// another process's by now: what has it is looked at again by a descriptor.
void kill_one_by_one(const std::string& folder) {
  const std::string name = files::path(folder).filename().string();
  for (const std::string& group : groups_from(folder)) {
    std::ifstream members(group + "/cgroup.procs");
    for (pid_t member = 0; members >> member;) {
      if (member <= 0 || member == ::getpid()) continue;  // 0: of another process namespace
      const FileDescriptor pidfd = open_pidfd(member);
      if (pidfd && is_in(name, member)) send_signal_to(pidfd, SIGKILL);
    }
  }
}

/// Whether it has gone: that needs that nobody is in it.
bool remove_group(const std::string& folder) {
  if (::rmdir(folder.c_str()) == 0 || errno == ENOENT) return true;
  for (const std::string& group : groups_from(folder) | std::views::reverse) ::rmdir(group.c_str());
  return ::access(folder.c_str(), F_OK) != 0 && errno == ENOENT;
}

/// Why no process can enter a group that was made, as its kind says; empty if one can. Before Linux 4.14
/// there are no kinds.
std::string refusal_by_kind(const std::string& folder) {
  std::ifstream file(folder + "/cgroup.type");
  std::string kind;
  if (!std::getline(file, kind) || kind == "domain") return {};
  return folder + " would be of the kind '" + kind + "', not 'domain': its group is one for threads";
}

bool is_ours(const std::string& folder) {
  struct stat status {};
  return ::stat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid();
}

}  // namespace

bool job_cgroup_wanted() {
  const char* text = std::getenv(control::cgroup_variable);
  if (text == nullptr || std::string_view(text) == "on") return true;
  if (std::string_view(text) == "off") return false;
  throw InvalidArgument(fmt::format("{} is 'on' or 'off', not '{}'", control::cgroup_variable, text));
}

JobCgroup JobCgroup::make_if_wanted(pid_t job, std::uint32_t node, const std::string& root) {
  if (job_cgroup_wanted()) return make(job, node, root);
  JobCgroup none;
  none.refusal_ = fmt::format("{} is off", control::cgroup_variable);
  return none;
}

JobCgroup JobCgroup::make(pid_t job, std::uint32_t node, const std::string& root) {
  JobCgroup made;
  const auto home = version2_cgroup_folder(root);
  if (!home) {
    made.refusal_ = "no control group of version 2 can be seen from here";
    return made;
  }
  // Who goes from there into one inside it needs that.
  const std::string members = *home + "/cgroup.procs";
  if (::faccessat(AT_FDCWD, members.c_str(), W_OK, AT_EACCESS) != 0) {
    made.refusal_ = describe_errno("writing to " + members, errno);
    return made;
  }
  for (int tries = 0; tries < most_tries; ++tries) {
    const std::string folder =
        fmt::format("{}/{}{}-{}-{:016x}", *home, folder_prefix, job, node, control::random_number());
    if (::mkdir(folder.c_str(), 0755) != 0) {
      made.refusal_ = describe_errno("making " + folder, errno);
      return made;
    }
    made.refusal_ = refusal_by_kind(folder);
    if (made.refusal_.empty() && made.lock(folder)) return made;
    ::rmdir(folder.c_str());
    if (!made.refusal_.empty()) return made;
  }
  made.refusal_ = *home + ": what is made there cannot be locked";
  return made;
}

bool JobCgroup::lock(const std::string& folder) {
  FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened || ::flock(opened.get(), LOCK_EX | LOCK_NB) != 0) return false;
  if (::access((folder + "/cgroup.procs").c_str(), F_OK) != 0) return false;  // removed before it was locked
  lock_ = std::move(opened);
  folder_ = folder;
  return true;
}

pid_t JobCgroup::fork_into(bool for_parent) {
  // Where the C library keeps the number of the thread, for the child to get its own.
  int* thread_number = nullptr;
  if (!lock_ || ::prctl(PR_GET_TID_ADDRESS, &thread_number) != 0) return -1;
  clone_args arguments{};
  arguments.flags = CLONE_INTO_CGROUP | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
  arguments.child_tid = reinterpret_cast<std::uintptr_t>(thread_number);
  arguments.cgroup = static_cast<std::uint64_t>(lock_.get());
  if (for_parent) {
    arguments.flags |= CLONE_PARENT;
  } else {
    arguments.exit_signal = SIGCHLD;
  }
  const auto pid = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
  if (pid == 0) entered_ = true;
  return pid;
}

void JobCgroup::enter() {
  if (!lock_ || entered_) return;
  const int error = write_word(folder_ + "/cgroup.procs", "0");
  entered_ = error == 0;
  if (entered_) return;
  refusal_ = describe_errno("entering " + folder_, error);
  ::rmdir(folder_.c_str());
  lock_.reset();
}

/// Whether this process is not in it any more.
bool JobCgroup::leave() {
  if (entered_) {
    entered_ = write_word(files::path(folder_).parent_path().string() + "/cgroup.procs", "0") != 0;
  }
  return !entered_;
}

bool JobCgroup::holds_this_process_alone() const {
  if (!entered_ || groups_from(folder_).size() != 1) return false;
  std::ifstream members(folder_ + "/cgroup.procs");
  for (pid_t member = 0; members >> member;) {
    if (member != ::getpid()) return false;
  }
  return true;
}

void JobCgroup::kill() {
  if (!lock_) return;
  // Before Linux 5.14 there is no cgroup.kill.
  if (!leave() || write_word(folder_ + "/cgroup.kill", "1") != 0) kill_one_by_one(folder_);
}

void JobCgroup::end(Deadline patience) {
  if (!lock_) return;
  kill();
  while (!remove_group(folder_) && !holds_this_process_alone() && !patience.passed()) {
    std::this_thread::sleep_for(look_again);
    kill();
  }
  lock_.reset();
}

void JobCgroup::end_left_over(const std::string& root) {
  const auto home = version2_cgroup_folder(root);
  if (!home) return;
  const Deadline patience = Deadline::after(left_over_patience);
  std::error_code error;
  std::vector<std::string> found;
  files::directory_iterator entry(*home, error);
  while (!error && entry != files::directory_iterator()) {
    if (entry->path().filename().string().starts_with(folder_prefix)) found.push_back(entry->path().string());
    entry.increment(error);
  }
  for (const std::string& folder : found) {
    if (!is_ours(folder)) continue;
    JobCgroup left_over;
    if (left_over.lock(folder)) left_over.end(patience);
  }
}

}  // namespace wyvern::agent
