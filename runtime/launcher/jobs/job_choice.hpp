#pragma once

#include <string>
#include <vector>

#include <wyvern/runtime/observation/job_observer.hpp>

namespace wyvern::launcher {

/// Which of the jobs that run are meant by what a user calls them: the number of one, or the name of its
/// program; all of them if `name` is empty. Throws NotFound if there is none, with the problems, among which
/// it may be.
std::vector<observation::JobObserver> choose_jobs(const std::string& name, observation::FoundJobs&& found);

/// The same for who needs exactly one. Throws InvalidArgument if several fit.
observation::JobObserver choose_job(const std::string& name, observation::FoundJobs&& found);

}  // namespace wyvern::launcher
