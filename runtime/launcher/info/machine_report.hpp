#pragma once

#include <string>

#include <wyvern/runtime/launcher/report.hpp>

namespace wyvern::launcher {

/// Host, kernel, cores and memory.
Report report_machine();
/// Of each process, as set now.
Report report_limits();
/// What control groups allow: the tightest of those that this process is in; and whether jobs get one of
/// their own. `root`: where /proc and /sys are looked for.
Report report_cgroup(const std::string& root = "");

}  // namespace wyvern::launcher
