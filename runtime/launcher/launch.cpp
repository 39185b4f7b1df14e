#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <optional>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/agent/find_program.hpp>
#include <wyvern/runtime/launcher/job_run.hpp>
#include <wyvern/runtime/launcher/launch.hpp>
#include <wyvern/runtime/launcher/node_agents.hpp>

namespace wyvern::launcher {
namespace {

/// What a shell shows for a command that a signal has ended.
constexpr int signal_status_base = 128;

/// SIGINT, SIGTERM and SIGCHLD are read from here, and nowhere else delivered.
FileDescriptor open_signals() {
  ::signal(SIGCHLD, SIG_DFL);  // whoever ignores it passes that on, and has no children to reap
  sigset_t watched;
  sigemptyset(&watched);
  for (const int number : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&watched, number);
  ::sigprocmask(SIG_BLOCK, &watched, nullptr);
  FileDescriptor signals(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) throw OutOfMemory(describe_errno("signalfd", errno));
  return signals;
}

/// How the head ended; none if nobody knows. Nothing is left of the job, also if it throws.
std::optional<std::int32_t> run_job(const RunOptions& options, NodeAgents& agents, int signals) {
  try {
    JobRun job(agents, signals);
    job.introduce_nodes(options.provider);
    const std::optional<std::int32_t> status =
        job.wait_for_end(options.timeout ? Deadline::after(*options.timeout) : Deadline::never());
    agents.end_all();
    return status;
  } catch (const SpawnFailed& error) {
    agents.end_all();
    throw SpawnFailed("cannot execute '" + options.program.front() + "': " + error.what());
  } catch (...) {
    agents.end_all();
    throw;
  }
}

}  // namespace

int launch(const RunOptions& options, const agent::NetworkFactory& open_network) {
  const FileDescriptor input(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  const agent::HeadCommand head{.path = agent::find_program(options.program.front(), std::getenv("PATH")),
                                .arguments = options.program,
                                .input = input.get(),
                                .group = ::getpgrp()};
  const FileDescriptor signals = open_signals();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  NodeAgents agents(options, head, open_network);
  const std::int32_t status = run_job(options, agents, signals.get()).value_or(-SIGKILL);
  std::cout << "+++ head proc exited, code " << status << std::endl;
  return status >= 0 ? status : signal_status_base - status;
}

}  // namespace wyvern::launcher
