#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <wyvern/runtime/launcher/doctor/job_checks.hpp>
#include <wyvern/runtime/launcher/doctor/kernel_checks.hpp>
#include <wyvern/runtime/launcher/doctor/limit_checks.hpp>
#include <wyvern/runtime/launcher/doctor/memory_checks.hpp>

namespace wyvern::launcher {

/// What the checks are given of this machine and this process. Nothing here throws for want of a file.

std::string kernel_release();
/// 0, or the error of making a memfd.
int try_memfd();
std::string proc_self();
std::uint64_t machine_memory();
/// The tightest that control groups set: "memory" in bytes, or "pids". None: unlimited. `root`: where /proc
/// and /sys are looked for.
Limit group_limit(const std::string& controller, const std::string& root = "");
/// As set now, of a RLIMIT_... resource.
Limit own_limit(int resource);
/// Of this user: RLIMIT_NPROC, which does not bind root.
Limit limit_on_processes();
/// What it may be raised to.
Limit hard_limit(int resource);
/// In the file system of a folder; none if there is no such folder.
Limit free_bytes(const std::string& folder);
bool has_rdma_device();
CoreFiles core_files();
std::vector<std::string> variable_names();

}  // namespace wyvern::launcher
