#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <wyvern/core/deadline.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/pidfd.hpp>
#include <wyvern/runtime/agent/descendants.hpp>
#include <wyvern/runtime/agent/find_program.hpp>
#include <wyvern/runtime/agent/spawner.hpp>
#include <wyvern/runtime/launcher/complain.hpp>
#include <wyvern/runtime/launcher/jobs/job_choice.hpp>
#include <wyvern/runtime/launcher/join/join_job.hpp>
#include <wyvern/runtime/launcher/join/joiner_link.hpp>
#include <wyvern/runtime/program.hpp>
#include <wyvern/runtime/protocol/seqpacket.hpp>

namespace wyvern::launcher {
namespace {

/// What a shell shows for a command that a signal has ended.
constexpr int signal_status_base = 128;
/// Exit status of a process that never came to be, as shells have it.
constexpr std::int32_t not_executed_status = 127;

/// The name of the socket of the agent of that node.
std::string socket_of(const observation::JobObserver& job, std::uint32_t node) {
  for (const auto& candidate : job.nodes()) {
    if (candidate->segment().node() == node) return candidate->segment().agent_socket();
  }
  throw NotFound("job " + std::to_string(job.job()) + " has no node " + std::to_string(node) +
                 " on this machine; it was begun with " +
                 std::to_string(job.nodes().front()->segment().nodes()));
}

/// Signals that the user sends, and which the program gets.
constexpr int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/// Those of them that who has started this command wants to be ignored, as `nohup` does.
sigset_t find_ignored() {
  sigset_t ignored;
  sigemptyset(&ignored);
  for (const int number : passed_on) {
    struct sigaction action {};
    if (::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN)
      sigaddset(&ignored, number);
  }
  return ignored;
}

/// Signals that the user sends, and the news of children, are read from here and nowhere else delivered.
FileDescriptor open_signals(const sigset_t& ignored) {
  ::signal(SIGCHLD, SIG_DFL);  // whoever ignores it passes that on, and has no children to reap
  sigset_t watched;
  sigemptyset(&watched);
  sigaddset(&watched, SIGCHLD);
  for (const int number : passed_on) {
    if (sigismember(&ignored, number) != 1) sigaddset(&watched, number);
  }
  ::sigprocmask(SIG_BLOCK, &watched, nullptr);
  FileDescriptor signals(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) throw OutOfMemory(describe_errno("signalfd", errno));
  return signals;
}

/// This process's own variables, and those by which the program finds the job.
std::vector<std::string> environment_for(const JoinerLink& link, const control::Ticket& ticket) {
  std::vector<std::string> variables = program_environment();
  const std::string agent = std::string(control::agent_variable) + "=";
  const std::string ticket_name = std::string(control::ticket_variable) + "=";
  std::erase_if(variables, [&](const std::string& variable) {
    return variable.starts_with(agent) || variable.starts_with(ticket_name);
  });
  variables.push_back(agent + link.socket_name());
  variables.push_back(ticket_name + control::to_string(ticket));
  return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// A standard stream as the spawner wants it: at another number.
FileDescriptor copy_of(int stream) {
  return FileDescriptor(::fcntl(stream, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

/// Made like a process that an agent starts, and in this command's process group, so that the terminal is the
/// program's as well. It does not outlive this process.
pid_t spawn(const std::string& path, std::vector<std::string> arguments, std::vector<std::string> environment,
            const sigset_t& ignored_signals) {
  const std::vector<char*> argument_pointers = pointers_to(arguments);
  const std::vector<char*> variable_pointers = pointers_to(environment);
  const FileDescriptor input = copy_of(STDIN_FILENO);
  const FileDescriptor output = copy_of(STDOUT_FILENO);
  const FileDescriptor error = copy_of(STDERR_FILENO);
  agent::SpawnPlan plan;
  plan.path = path.c_str();
  plan.arguments = argument_pointers.data();
  plan.environment = variable_pointers.data();
  plan.input = input.get();
  plan.output = output.get();
  plan.error = error.get();
  plan.group = ::getpgrp();
  plan.ignored_signals = ignored_signals;
  ::getrlimit(RLIMIT_NOFILE, &plan.descriptors);
  return agent::Spawner().spawn(plan);
}

/// The program, from its start to its end.
class Joined {
 public:
  /// `strangers`: children that this process had before.
  Joined(pid_t program, FileDescriptor pidfd, FileDescriptor agent_pidfd, FileDescriptor signals,
         std::vector<pid_t> strangers)
      : program_(program),
        pidfd_(std::move(pidfd)),
        agent_pidfd_(std::move(agent_pidfd)),
        signals_(std::move(signals)),
        strangers_(std::move(strangers)) {}

  /// Its status, 0..255 or minus the signal.
  std::int32_t wait() {
    std::optional<std::int32_t> status;
    while (!(status = reap())) {
      std::vector<pollfd> waited{{signals_.get(), POLLIN, 0}, {agent_pidfd_.get(), POLLIN, 0}};
      control::wait_until_any_ready(waited, Deadline::never());
      pass_signals_on();
      if (waited[1].revents != 0 && !std::exchange(job_has_ended_, true)) kill_children();
      if (job_has_ended_) agent_pidfd_.reset();  // it stays readable
    }
    if (job_has_ended_) end_orphans();
    return *status;
  }

 private:
  /// Children that have ended: orphans of the program, and at last itself.
  std::optional<std::int32_t> reap() {
    while (const auto ended = agent::ended_child()) {
      agent::reap(ended->pid);
      if (ended->pid == program_) return ended->status;
    }
    return std::nullopt;
  }

  void pass_signals_on() {
    signalfd_siginfo info;
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
      // From the terminal it reaches the whole process group, the program too.
      const bool from_terminal = info.ssi_code == SI_KERNEL;
      if (info.ssi_signo != SIGCHLD && !from_terminal)
        send_signal_to(pidfd_, static_cast<int>(info.ssi_signo));
    }
  }

  /// The program and its orphans; false if there is none. Who executed itself as this command may have
  /// children that are not its business.
  bool kill_children() const {
    bool any = false;
    for (const pid_t child : agent::list_children()) {
      if (std::ranges::find(strangers_, child) != strangers_.end()) continue;
      agent::signal_child(child, SIGKILL);
      any = true;
    }
    return any;
  }

  /// Nothing is left of the job: not of what the program has put into sessions of their own either.
  void end_orphans() const {
    while (kill_children()) {
      while (::waitpid(-1, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
  }

  pid_t program_;
  FileDescriptor pidfd_;
  FileDescriptor agent_pidfd_;
  FileDescriptor signals_;
  std::vector<pid_t> strangers_;
  bool job_has_ended_ = false;
};

}  // namespace

int join_job(const JoinOptions& options) {
  const std::string path = agent::find_program(options.program.front(), std::getenv("PATH"));
  JoinerLink link(socket_of(choose_job(options.job, observation::find_jobs()), options.node));
  const std::vector<pid_t> strangers = agent::list_children();
  const sigset_t ignored = find_ignored();
  FileDescriptor signals = open_signals(ignored);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  JoinerLink::Admission admission = link.join();
  pid_t program = 0;
  try {
    program = spawn(path, options.program, environment_for(link, admission.ticket), ignored);
  } catch (const SpawnFailed& error) {
    link.say_ended(not_executed_status);
    throw SpawnFailed("cannot execute '" + options.program.front() + "': " + error.what());
  }
  FileDescriptor pidfd = open_pidfd(program);  // not reaped yet, so it is its own
  link.say_runs(program, pidfd);
  Joined joined(program, std::move(pidfd), std::move(admission.agent_pidfd), std::move(signals), strangers);
  const std::int32_t status = joined.wait();
  link.say_ended(status);
  return status >= 0 ? status : signal_status_base - status;
}

}  // namespace wyvern::launcher
