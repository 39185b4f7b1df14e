#pragma once

#include <vector>

#include <wyvern/runtime/launcher/jobs/job_sample.hpp>
#include <wyvern/runtime/launcher/report.hpp>

namespace wyvern::launcher {

/// What `wyvern ps` and `wyvern top` print with --json.
Report report_jobs(const std::vector<JobSample>& jobs);

}  // namespace wyvern::launcher
