#include <unistd.h>

#include <iostream>
#include <utility>
#include <vector>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/launcher/colours.hpp>
#include <wyvern/runtime/launcher/complain.hpp>
#include <wyvern/runtime/launcher/jobs/job_choice.hpp>
#include <wyvern/runtime/launcher/jobs/job_report.hpp>
#include <wyvern/runtime/launcher/jobs/job_table.hpp>
#include <wyvern/runtime/launcher/jobs/list_jobs.hpp>

namespace wyvern::launcher {

int list_jobs(const PsOptions& options) {
  observation::FoundJobs found = observation::find_jobs();
  const std::vector<std::string> problems = options.job.empty() ? found.problems : std::vector<std::string>();
  std::vector<JobSample> samples;
  for (const observation::JobObserver& job : choose_jobs(options.job, std::move(found)))
    samples.push_back({.figures = job.observe(), .seconds = {}, .rates = {}});
  // What ended while it was looked at is not listed.
  std::erase_if(samples, [](const JobSample& sample) { return sample.figures.nodes.empty(); });
  if (samples.empty() && !options.job.empty())
    throw NotFound("job '" + options.job + "' has ended while it was looked at");
  if (options.json) {
    print_as_json(std::cout, report_jobs(samples));
  } else {
    for (const std::string& line : job_table(samples, {.coloured = shows_colours(STDOUT_FILENO)}))
      std::cout << line << '\n';
  }
  for (const std::string& problem : problems) complain(problem);
  return problems.empty() ? 0 : usage_status;
}

}  // namespace wyvern::launcher
