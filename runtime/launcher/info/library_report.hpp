#pragma once

#include <string>

#include <wyvern/runtime/launcher/report.hpp>

namespace wyvern::launcher {

/// How this command was built, and what of that must be the same in the processes of a job.
Report report_build();
/// Which libfabric there is, its providers, which of them would be used and why. Loads it, which takes 100 ms
/// and more.
Report report_libfabric(const std::string& provider);

}  // namespace wyvern::launcher
