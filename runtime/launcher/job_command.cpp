#include <CLI/CLI.hpp>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/launcher/duration.hpp>
#include <wyvern/runtime/launcher/job_command.hpp>
#include <wyvern/runtime/launcher/shared_options.hpp>

namespace wyvern::launcher {

JobCommand::JobCommand(CLI::App& app, const std::string& name, const std::string& description)
    : parser_(*app.add_subcommand(name, name + " [OPTIONS] [JOB]\n" + description)) {
  parser_
      .add_option("JOB", job_,
                  "The number of a job, or the name of its program (default: all of this user's)")
      ->type_name("");
  parser_.add_flag("--json", json_, "Print JSON");
}

void JobCommand::add_refreshing() {
  parser_.add_flag("--once", once_, "Show the jobs once, after one interval");
  parser_
      .add_option("--interval", interval_,
                  "Time from one look to the next, for example 0.5 or 2s (default: 1)")
      ->type_name("TIME");
  parser_.footer("With --json, each look is one line.");
}

std::string JobCommand::job() const {
  if (parser_.count("JOB") > 0) check_job_name(job_);
  return job_;
}

TopOptions JobCommand::top_options() const {
  TopOptions options{.job = job(), .once = once_, .json = json_};
  if (parser_.count("--interval") == 0) return options;
  try {
    options.interval = parse_duration(interval_);
  } catch (const InvalidArgument& error) {
    throw InvalidArgument("--interval: " + std::string(error.what()));
  }
  return options;
}

}  // namespace wyvern::launcher
