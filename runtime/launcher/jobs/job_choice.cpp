#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/launcher/jobs/job_choice.hpp>

namespace wyvern::launcher {
namespace {

using observation::FoundJobs;
using observation::JobObserver;

/// What the kernel keeps of a program's name.
constexpr std::size_t kept_of_names = 15;

bool is_number(const std::string& text) {
  return std::ranges::all_of(text, [](unsigned char digit) { return std::isdigit(digit) != 0; });
}

bool fits(const JobObserver& job, const std::string& name) {
  if (is_number(name)) return std::to_string(job.job()) == name;
  return job.program() == name.substr(0, kept_of_names);
}

/// Whose process it is that a job would be called by; nobody's: the user's own.
uid_t owner_of(const std::string& name) {
  struct stat status {};
  const bool is_process = is_number(name) && ::stat(("/proc/" + name).c_str(), &status) == 0;
  return is_process ? status.st_uid : ::getuid();
}

[[noreturn]] void throw_not_found(const std::string& name, const FoundJobs& found) {
  if (const uid_t owner = owner_of(name); owner != ::getuid()) {
    throw NotFound("process " + name + " is of user " + std::to_string(owner) +
                   ", and a job is for the user alone who has begun it");
  }
  std::string text = "no job '" + name +
                     "' of this user runs on this machine; has it ended? `wyvern ps` lists those that run";
  for (const std::string& problem : found.problems) text += "; or is it this one: " + problem;
  throw NotFound(text);
}

}  // namespace

std::vector<JobObserver> choose_jobs(const std::string& name, FoundJobs&& found) {
  if (name.empty()) return std::move(found.jobs);
  std::vector<JobObserver> chosen;
  for (JobObserver& job : found.jobs) {
    if (fits(job, name)) chosen.push_back(std::move(job));
  }
  if (chosen.empty()) throw_not_found(name, found);
  return chosen;
}

JobObserver choose_job(const std::string& name, FoundJobs&& found) {
  std::vector<JobObserver> chosen = choose_jobs(name, std::move(found));
  if (chosen.size() == 1) return std::move(chosen.front());
  std::string numbers;
  for (const JobObserver& job : chosen) numbers += (numbers.empty() ? "" : ", ") + std::to_string(job.job());
  throw InvalidArgument("several jobs are called '" + name + "': " + numbers +
                        "; name one of them by its number");
}

}  // namespace wyvern::launcher
