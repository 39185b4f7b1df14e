#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace wyvern::agent {

struct EndedChild {
  pid_t pid = 0;
  std::int32_t status = 0;  ///< 0..255, or minus the signal
};

/// A child that has ended, not reaped yet. Nothing if none has.
std::optional<EndedChild> ended_child();
/// Removes an ended child from the kernel's table. Until then its pid is not given to another process.
void reap(pid_t child);
/// Any child at all, running or ended. Orphans of this process's descendants become its children.
bool has_children();
/// The children of this process, found in /proc.
std::vector<pid_t> list_children();
/// Sends the signal to a child, and to the process group that it leads.
void signal_child(pid_t child, int signal);
/// Sends the signal to every child, and to the process group of those that lead one. True if there were any.
bool signal_children(int signal);

}  // namespace wyvern::agent
