#pragma once

#include <cstdint>
#include <string>

#include <wyvern/runtime/launcher/doctor/finding.hpp>
#include <wyvern/runtime/launcher/doctor/limit_checks.hpp>
#include <wyvern/runtime/launcher/shared_options.hpp>

namespace wyvern::launcher {

/// Whether what a job may use is there. `group`: what control groups allow this shell.
Finding check_memory(const MemoryCeiling& ceiling, std::uint64_t machine, Limit group);
/// Only libfabric's provider shm has files in /dev/shm. `free`: bytes there; none: there is no such folder.
Finding check_shm_folder(const std::string& provider, Limit free);

}  // namespace wyvern::launcher
