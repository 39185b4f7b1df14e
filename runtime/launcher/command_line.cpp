#include <algorithm>
#include <string>

#include <CLI/CLI.hpp>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/launcher/command_line.hpp>
#include <wyvern/runtime/launcher/complain.hpp>
#include <wyvern/runtime/launcher/inspect_command.hpp>
#include <wyvern/runtime/launcher/job_command.hpp>
#include <wyvern/runtime/launcher/join_command.hpp>
#include <wyvern/runtime/launcher/run_command.hpp>

namespace wyvern::launcher {
namespace {

/// One sentence, without the hints of several lines that CLI11 adds.
ExitWith refuse(const std::string& problem) {
  return {complain(problem.substr(0, problem.find('\n')) + "; see wyvern --help")};
}

}  // namespace

Request parse_command_line(int argc, const char* const* argv) {
  CLI::App app("Runs programs whose processes share queues.", "wyvern");
  app.set_version_flag("--version", "wyvern " WYVERN_VERSION);
  app.require_subcommand(1);
  RunCommand run(app);
  JoinCommand join(app);
  InspectCommand info(app, "info", "Say what Wyvern finds on this machine, and what it would choose.");
  InspectCommand doctor(app, "doctor",
                        "Check this machine for what usually goes wrong, and say how to mend it.");
  std::vector<std::string> hosts;
  doctor.parser()
      .add_option("--hosts", hosts, "Other hosts that are to be reached")
      ->type_name("A,B,C")
      ->delimiter(',')
      ->allow_extra_args(false);
  doctor.parser().footer("The exit status is 0 if all is well, and 1 if there is a problem.");
  JobCommand ps(app, "ps", "List the running jobs of this user, their processes and their queues.");
  JobCommand top(
      app, "top",
      "Show the running jobs of this user again and again: their processes, and what their queues\n"
      "hold, take in and give out.");
  top.add_refreshing();

  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && arguments.front() == RunCommand::name) run.take_program(arguments);
  if (!arguments.empty() && arguments.front() == JoinCommand::name) join.take_program(arguments);
  try {
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants it
    app.parse(arguments);
    if (info.is_asked_for()) return InfoOptions{.settings = info.settings(), .json = info.json()};
    if (doctor.is_asked_for())
      return DoctorOptions{.settings = doctor.settings(), .hosts = hosts, .json = doctor.json()};
    if (join.is_asked_for()) return join.options();
    if (ps.is_asked_for()) return ps.ps_options();
    if (top.is_asked_for()) return top.top_options();
    return run.options();
  } catch (const CLI::Success& asked) {
    return ExitWith{app.exit(asked)};  // for help, or for the version
  } catch (const CLI::ParseError& error) {
    return refuse(error.what());
  } catch (const InvalidArgument& error) {
    return refuse(error.what());
  }
}

}  // namespace wyvern::launcher
