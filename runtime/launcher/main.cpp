#include <exception>
#include <variant>

#include <wyvern/runtime/agent/node_network.hpp>
#include <wyvern/runtime/launcher/command_line.hpp>
#include <wyvern/runtime/launcher/complain.hpp>
#include <wyvern/runtime/launcher/doctor/examine.hpp>
#include <wyvern/runtime/launcher/info/print_info.hpp>
#include <wyvern/runtime/launcher/jobs/list_jobs.hpp>
#include <wyvern/runtime/launcher/jobs/watch_jobs.hpp>
#include <wyvern/runtime/launcher/join/join_job.hpp>
#include <wyvern/runtime/launcher/launch.hpp>
#include <wyvern/runtime/program.hpp>

namespace wyvern::launcher {
namespace {

/// What was asked for; the status to exit with.
struct Follow {
  int operator()(const ExitWith& end) const { return end.status; }
  int operator()(const RunOptions& options) const { return launch(options, agent::open_node_network); }
  int operator()(const InfoOptions& options) const { return print_info(options); }
  int operator()(const DoctorOptions& options) const { return examine(options); }
  int operator()(const JoinOptions& options) const { return join_job(options); }
  int operator()(const PsOptions& options) const { return list_jobs(options); }
  int operator()(const TopOptions& options) const { return watch_jobs(options); }
};

}  // namespace
}  // namespace wyvern::launcher

// The `wyvern` command.
int main(int argc, char** argv) {
  wyvern::open_missing_streams();
  try {
    return std::visit(wyvern::launcher::Follow(), wyvern::launcher::parse_command_line(argc, argv));
  } catch (const std::exception& error) {
    return wyvern::launcher::complain(error.what());
  }
}
