#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace wyvern {

/// What /proc/PID/stat says first.
struct ProcessStat {
  pid_t pid = 0;
  std::string name;  ///< at most 15 characters of it
  char state = 0;    ///< as in proc(5): R, S, D, T, t, Z, ...
  pid_t parent = 0;

  bool is_stopped() const { return state == 'T' || state == 't'; }
};

/// Nothing if there is no such process. `proc`: where it is looked for.
std::optional<ProcessStat> read_process_stat(pid_t pid, const std::string& proc = "/proc");

/// How a process ended that its parent has not reaped yet: 0..255, or minus the signal. Nothing if it lives,
/// is gone, or is not this user's.
std::optional<std::int32_t> read_exit_status(pid_t pid);

}  // namespace wyvern
