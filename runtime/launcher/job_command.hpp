#pragma once

#include <string>

#include <CLI/App.hpp>

#include <wyvern/runtime/launcher/jobs/job_options.hpp>

namespace wyvern::launcher {

/// The command line of `wyvern ps` and of `wyvern top`.
class JobCommand {
 public:
  /// Adds itself to the command, which must not outlive it.
  JobCommand(CLI::App& app, const std::string& name, const std::string& description);
  JobCommand(const JobCommand&) = delete;
  JobCommand& operator=(const JobCommand&) = delete;

  /// For a command that shows jobs more than once.
  void add_refreshing();
  bool is_asked_for() const { return parser_.parsed(); }
  /// What was parsed. Throws InvalidArgument, which says which option cannot be.
  PsOptions ps_options() const { return {.job = job(), .json = json_}; }
  TopOptions top_options() const;

 private:
  std::string job() const;

  CLI::App& parser_;
  std::string job_;
  std::string interval_;
  bool once_ = false;
  bool json_ = false;
};

}  // namespace wyvern::launcher
