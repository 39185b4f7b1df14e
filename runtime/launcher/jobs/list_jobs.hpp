#pragma once

#include <wyvern/runtime/launcher/jobs/job_options.hpp>

namespace wyvern::launcher {

/// `wyvern ps`: prints the jobs of this user that run on this machine. Returns the exit status. Throws what
/// choose_jobs does.
int list_jobs(const PsOptions& options);

}  // namespace wyvern::launcher
