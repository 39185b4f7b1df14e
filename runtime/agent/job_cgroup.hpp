#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>

#include <wyvern/core/deadline.hpp>
#include <wyvern/core/file_descriptor.hpp>

namespace wyvern::agent {

/// Whether jobs are to have control groups: WYVERN_CGROUP is "on", or not set; if it is "off", they are not.
/// Throws InvalidArgument.
bool job_cgroup_wanted();

/// A control group (version 2) of a node's own. The agent is in it, and so is all that it starts, and what
/// that starts, whatever sessions and parents this gets: nobody leaves it without the right to enter another
/// one. No controller is used, nothing is limited; limits of the groups around it hold. It is a folder
/// `wyvern-job-JOB-NODE-...` in the group of who begins the job. Where the kernel refuses one the node does
/// without: nothing here throws, but where it says so, and for want of memory.
///
/// While one of the processes that it was handed to, by fork, has it, its folder is locked. A folder that is
/// not is left over: all who could have removed it were killed at once.
class JobCgroup {
 public:
  /// None.
  JobCgroup() = default;
  /// Makes one inside that of this process. `root`: where /proc is looked for.
  static JobCgroup make(pid_t job, std::uint32_t node, const std::string& root = "");
  /// The same; none if jobs are to have none. Throws InvalidArgument.
  static JobCgroup make_if_wanted(pid_t job, std::uint32_t node, const std::string& root = "");
  /// Ends and removes those that former jobs of this user have left over in that of this process.
  static void end_left_over(const std::string& root = "");

  explicit operator bool() const { return static_cast<bool>(lock_); }
  const std::string& folder() const { return folder_; }
  /// Why none was to be had.
  const std::string& refusal() const { return refusal_; }
  /// Of the folder, with its lock; -1: none.
  int descriptor() const { return lock_.get(); }

  /// As ::fork(), for a process of one thread; the child begins in the group. A process that moves there
  /// waits for all processors, 12 ms on a busy machine; this does not. -1 where the kernel refuses it, or
  /// there is none. `for_parent`: the child is the caller's parent's.
  pid_t fork_into(bool for_parent);
  /// Puts this process into it, unless it is in it. If that is refused, it is removed, and there is none.
  void enter();
  /// Whether nobody but this process is in it, or in a group inside it: it can end, and leave the rest to
  /// others who have it.
  bool holds_this_process_alone() const;
  /// SIGKILL to all that are in it, and in groups inside it; this process leaves it before, and is
  /// spared in any case. Does not wait.
  void kill();
  /// The same, and removes it once they have gone; there is none afterwards. What hangs in the kernel for
  /// longer than that keeps the folder, and so does this process if it cannot leave.
  void end(Deadline patience);

 private:
  bool lock(const std::string& folder);
  bool leave();

  FileDescriptor lock_;
  std::string folder_;
  std::string refusal_;
  bool entered_ = false;
};

/// How long a group is waited for whose processes were killed: usually that is at once.
inline constexpr std::chrono::milliseconds cgroup_patience{2000};

}  // namespace wyvern::agent
