#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <wyvern/core/error.hpp>
#include <wyvern/core/pidfd.hpp>
#include <wyvern/runtime/agent/agent_main.hpp>
#include <wyvern/runtime/protocol/packet.hpp>
#include <wyvern/runtime/protocol/seqpacket.hpp>

namespace wyvern::agent {
namespace {

/// What was inherited and is not for this agent is closed, and standard input becomes /dev/null: it is the
/// head's.
void settle_descriptors(const AgentOptions& options, const AgentInheritance& inherited) {
  if (options.output >= 0) ::dup2(options.output, STDOUT_FILENO);
  if (options.error >= 0) ::dup2(options.error, STDERR_FILENO);
  std::vector<int> kept{inherited.owner.get(), inherited.owner_pidfd.get(), inherited.cgroup.descriptor()};
  if (options.command) kept.push_back(options.command->input);
  for (const NodeOutput& node : options.other_nodes) kept.insert(kept.end(), {node.out, node.err});
  std::sort(kept.begin(), kept.end());
  int first = STDERR_FILENO + 1;
  for (const int fd : kept) {
    if (fd > first) ::close_range(static_cast<unsigned>(first), static_cast<unsigned>(fd) - 1, 0);
    first = std::max(first, fd + 1);
  }
  ::close_range(static_cast<unsigned>(first), ~0U, 0);

  const FileDescriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  ::dup2(null.get(), STDIN_FILENO);
}

/// Signals are read from a descriptor, in the loop. Those that a write or a terminal could send are ignored.
FileDescriptor settle_signals() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &action, nullptr);
  action.sa_handler = SIG_IGN;
  for (const int ignored : {SIGPIPE, SIGTTOU, SIGTTIN, SIGTSTP}) ::sigaction(ignored, &action, nullptr);
  action.sa_handler = SIG_DFL;
  action.sa_flags = SA_NOCLDSTOP;
  ::sigaction(SIGCHLD, &action, nullptr);

  sigset_t read;
  sigemptyset(&read);
  for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&read, number);
  FileDescriptor signals(::signalfd(-1, &read, SFD_CLOEXEC | SFD_NONBLOCK));
  ::sigprocmask(SIG_SETMASK, &read, nullptr);
  return signals;
}

/// The agent has several descriptors a process; what it starts gets the limit that the user has set.
rlimit raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &raised);
  return limit;
}

void tell_owner(int socket, ErrorCode code, const char* text) {
  auto message = control::make_message<control::Failed>(0);
  message.code = static_cast<std::uint32_t>(code);
  control::write_text(message.text, text);
  control::send_message(socket, message);
}

}  // namespace

void agent_main(AgentOptions options, AgentInheritance inherited) {
  // It stays in its owner's session, to write to the terminal, but out of reach of the terminal's signals.
  ::setpgid(0, 0);
  // For ps: "wyvern-agent", or "wyvern-agent-3"; the kernel keeps 15 characters.
  const std::string node = options.node == head_node ? "" : "-" + std::to_string(options.node);
  ::prctl(PR_SET_NAME, ("wyvern-agent" + node).c_str());
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  settle_descriptors(options, inherited);
  inherited.cgroup.enter();

  AgentDescriptors descriptors{.owner = std::move(inherited.owner),
                               .owner_pidfd = std::move(inherited.owner_pidfd),
                               .cgroup = std::move(inherited.cgroup),
                               .self_pidfd = open_pidfd(::getpid()),
                               .signals = settle_signals()};
  try {
    if (!descriptors.signals || !descriptors.self_pidfd) {
      throw OutOfMemory(describe_errno("starting the agent", errno));
    }
    Agent agent(std::move(options), descriptors, raise_descriptor_limit());
    agent.serve();
    ::_exit(0);
  } catch (const Error& error) {
    tell_owner(descriptors.owner.get(), error.code(), error.what());
  } catch (const std::exception& error) {
    tell_owner(descriptors.owner.get(), ErrorCode::out_of_memory, error.what());
  }
  descriptors.cgroup.end(Deadline::after(cgroup_patience));
  ::_exit(1);
}

}  // namespace wyvern::agent
