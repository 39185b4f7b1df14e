#pragma once

#include <wyvern/runtime/launcher/jobs/job_options.hpp>

namespace wyvern::launcher {

/// `wyvern top`: shows jobs again and again, until it is killed or the job that was named has ended. Returns
/// the exit status. Throws what choose_jobs does.
int watch_jobs(const TopOptions& options);

}  // namespace wyvern::launcher
