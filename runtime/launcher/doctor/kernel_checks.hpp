#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include <wyvern/runtime/launcher/doctor/finding.hpp>
#include <wyvern/runtime/launcher/doctor/limit_checks.hpp>

namespace wyvern::launcher {

/// `release`: as uname says it; `memfd_error`: of making a memfd, 0 if it was made.
Finding check_kernel(const std::string& release, int memfd_error);
/// `proc_self`: what /proc/self says this process is; empty if it says nothing.
Finding check_namespaces(const std::string& proc_self, pid_t pid);

struct CoreFiles {
  Limit limit;            ///< bytes
  std::string pattern;    ///< kernel.core_pattern
  bool adds_pid = false;  ///< kernel.core_uses_pid
  /// If the pattern is a program, which is executed among the files of the host; none: they are not seen.
  std::optional<bool> handler_exists = true;
};
/// Whether what processes leave that crash is found, and does not overwrite each other's.
Finding check_core_files(const CoreFiles& files);

}  // namespace wyvern::launcher
