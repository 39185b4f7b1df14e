#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <optional>

#include <wyvern/core/error.hpp>
#include <wyvern/core/pidfd.hpp>
#include <wyvern/runtime/agent/bring_up.hpp>
#include <wyvern/runtime/agent/descendants.hpp>
#include <wyvern/runtime/launcher/find_program.hpp>
#include <wyvern/runtime/launcher/launch.hpp>
#include <wyvern/runtime/protocol/seqpacket.hpp>

namespace wyvern::launcher {
namespace {

/// What a shell shows for a command that a signal has ended.
constexpr int signal_status_base = 128;
/// For an agent that has said that the job is over to end itself.
constexpr std::chrono::seconds agent_patience{1};

/// SIGINT and SIGTERM are read from here, and nowhere else delivered.
FileDescriptor open_signals() {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int number : {SIGINT, SIGTERM}) sigaddset(&watched, number);
  ::sigprocmask(SIG_BLOCK, &watched, nullptr);
  FileDescriptor signals(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) throw OutOfMemory(describe_errno("signalfd", errno));
  return signals;
}

void pass_signals_on(int signals, int agent) {
  signalfd_siginfo info;
  while (::read(signals, &info, sizeof info) == sizeof info) {
    auto message = control::make_message<control::SignalJob>(0);
    message.signal = info.ssi_signo;
    // From the terminal it reaches the whole foreground process group, the head too.
    message.skip_head = info.ssi_code == SI_KERNEL ? 1 : 0;
    control::send_message(agent, message);
  }
}

/// Waits until the agent says how the head ended; nothing if the agent has died. Throws what it says instead.
std::optional<int> wait_for_end(int agent, int signals) {
  while (true) {
    pollfd waited[] = {{agent, POLLIN, 0}, {signals, POLLIN, 0}};
    if (::poll(waited, 2, -1) < 0) continue;
    if (waited[1].revents != 0) pass_signals_on(signals, agent);
    if (waited[0].revents == 0) continue;
    control::Packet packet;
    const control::Transfer result = control::receive_packet(agent, packet);
    if (result == control::Transfer::closed) return std::nullopt;
    if (result == control::Transfer::would_block) continue;
    if (control::header_of(packet).kind == control::MessageKind::failed) {
      const auto failure = control::read_message<control::Failed>(packet);
      throw_error(static_cast<ErrorCode>(failure.code), control::read_text(failure.text));
    }
    return control::read_message<control::JobOver>(packet).status;
  }
}

/// The agent has nothing more to do, or has died. In that case its children have died with it, and what these
/// had started is ours now and ends here.
void end_what_is_left(pid_t agent) {
  const FileDescriptor pidfd = open_pidfd(agent);
  if (pidfd) control::wait_until_ready(pidfd.get(), POLLIN, Deadline::after(agent_patience));
  ::waitpid(agent, nullptr, WNOHANG);
  while (agent::has_children()) {
    agent::signal_children(SIGKILL);
    while (::waitpid(-1, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

}  // namespace

int launch(const RunOptions& options) {
  agent::AgentOptions agent_options;
  agent_options.memory_ceiling = options.memory_ceiling;
  agent_options.label = options.label;
  const FileDescriptor input(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  agent_options.command = agent::HeadCommand{.path = find_program(options.program.front()),
                                             .arguments = options.program,
                                             .input = input.get(),
                                             .group = ::getpgrp()};
  const FileDescriptor signals = open_signals();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const agent::LaunchedAgent agent = agent::launch_agent(agent_options);

  std::optional<int> status;
  try {
    status = wait_for_end(agent.socket.get(), signals.get());
  } catch (const SpawnFailed& error) {
    throw SpawnFailed("cannot execute '" + options.program.front() + "': " + error.what());
  }
  if (!status) {
    std::cerr << "wyvern: the agent of node 1 has died, and the job with it\n";
    status = -SIGKILL;
  }
  end_what_is_left(agent.pid);
  std::cout << "+++ head proc exited, code " << *status << std::endl;
  return *status >= 0 ? *status : signal_status_base - *status;
}

}  // namespace wyvern::launcher
