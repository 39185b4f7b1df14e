#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/launcher/colours.hpp>
#include <wyvern/runtime/launcher/complain.hpp>
#include <wyvern/runtime/launcher/jobs/job_choice.hpp>
#include <wyvern/runtime/launcher/jobs/job_report.hpp>
#include <wyvern/runtime/launcher/jobs/job_table.hpp>
#include <wyvern/runtime/launcher/jobs/watch_jobs.hpp>

namespace wyvern::launcher {
namespace {

using Clock = JobSampler::Clock;

/// How often jobs and nodes are looked for that have begun meanwhile: that looks at every process of the
/// machine.
constexpr std::chrono::seconds search_period{5};

constexpr std::string_view to_the_top = "\033[H";
constexpr std::string_view clear_rest_of_line = "\033[K";
constexpr std::string_view clear_below = "\033[J";

/// Whether what was shown can be written over.
bool is_screen(const TopOptions& options) {
  const char* const kind = std::getenv("TERM");
  return !options.once && !options.json && ::isatty(STDOUT_FILENO) == 1 && kind != nullptr &&
         std::string_view(kind) != "dumb";
}

struct Watched {
  observation::JobObserver observer;
  JobSampler sampler = {};
};

class Display {
 public:
  explicit Display(const TopOptions& options)
      : json_(options.json), screen_(is_screen(options)), coloured_(shows_colours(STDOUT_FILENO)) {}

  void show(const std::vector<JobSample>& samples) {
    if (json_) {
      std::cout << report_jobs(samples).dump(-1, ' ', false, Report::error_handler_t::replace) << '\n'
                << std::flush;
    } else if (screen_) {
      show_on_screen(samples);
    } else {
      show_below(samples);
    }
  }

 private:
  void show_on_screen(const std::vector<JobSample>& samples) const {
    winsize size{};
    ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    TableStyle style{.rates = true, .coloured = coloured_};
    if (size.ws_row > 1) style.lines = size.ws_row - 1U;  // the last one is the cursor's
    if (size.ws_col > 1) style.columns = size.ws_col - 1U;
    std::string text(to_the_top);
    for (const std::string& line : job_table(samples, style)) {
      text += line;
      text += clear_rest_of_line;
      text += '\n';
    }
    std::cout << text << clear_below << std::flush;
  }

  void show_below(const std::vector<JobSample>& samples) {
    std::string text = std::exchange(shown_, true) ? "\n" : "";
    for (const std::string& line : job_table(samples, {.rates = true, .coloured = coloured_})) {
      text += line;
      text += '\n';
    }
    std::cout << text << std::flush;
  }

  bool json_;
  bool screen_;
  bool coloured_;
  bool shown_ = false;
};

class Watch {
 public:
  explicit Watch(const TopOptions& options) : options_(options) {
    observation::FoundJobs found = observation::find_jobs();
    problems_ = options.job.empty() ? found.problems : std::vector<std::string>();
    for (observation::JobObserver& job : choose_jobs(options.job, std::move(found))) add(std::move(job));
    next_search_ = Clock::now() + search_period;
  }

  const std::vector<std::string>& problems() const { return problems_; }

  std::vector<JobSample> look() {
    forget_ended();
    if ((jobs_.empty() && options_.job.empty()) || Clock::now() >= next_search_) search();
    std::vector<JobSample> samples;
    samples.reserve(jobs_.size());
    for (Watched& job : jobs_) samples.push_back(job.sampler.next(job.observer.observe(), Clock::now()));
    // What ended while it was looked at is shown no more.
    std::erase_if(samples, [](const JobSample& sample) { return sample.figures.nodes.empty(); });
    return samples;
  }

  bool any_left() {
    forget_ended();
    return !jobs_.empty();
  }

 private:
  void add(observation::JobObserver&& job) { jobs_.push_back({.observer = std::move(job)}); }
  void forget_ended() {
    std::erase_if(jobs_, [](const Watched& job) { return job.observer.has_ended(); });
  }
  void search() {
    for (observation::JobObserver& job : observation::find_jobs().jobs) {
      const auto known =
          std::ranges::find_if(jobs_, [&](const Watched& watched) { return watched.observer.is_same(job); });
      if (known != jobs_.end()) {
        known->observer.add_nodes(std::move(job));
      } else if (options_.job.empty()) {
        add(std::move(job));
      }
    }
    next_search_ = Clock::now() + search_period;
  }

  const TopOptions& options_;
  std::vector<Watched> jobs_;
  std::vector<std::string> problems_;
  Clock::time_point next_search_;
};

}  // namespace

int watch_jobs(const TopOptions& options) {
  Watch watch(options);
  Display display(options);
  for (const std::string& problem : watch.problems()) complain(problem);
  // The first look only says what the rates of the next one are from.
  std::vector<JobSample> samples = watch.look();
  if (!options.once) display.show(samples);
  auto next = Clock::now();
  while (options.job.empty() || watch.any_left()) {
    next = std::max(next + options.interval, Clock::now());
    std::this_thread::sleep_until(next);
    samples = watch.look();
    if (samples.empty() && !options.job.empty()) break;
    display.show(samples);
    if (options.once) return watch.problems().empty() ? 0 : usage_status;
  }
  if (options.once)
    throw NotFound("job '" + options.job + "' has ended before it was looked at a second time");
  std::cerr << "job '" << options.job << "' has ended\n";
  return 0;
}

}  // namespace wyvern::launcher
