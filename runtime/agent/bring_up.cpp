#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/core/pidfd.hpp>
#include <wyvern/runtime/agent/agent_main.hpp>
#include <wyvern/runtime/agent/bring_up.hpp>
#include <wyvern/runtime/protocol/seqpacket.hpp>
#include <wyvern/runtime/protocol/ticket.hpp>

namespace wyvern::agent {
namespace {

/// Keeps handlers from running in a process that was just forked.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

struct Prepared {
  FileDescriptor ours;
  FileDescriptor agents;
  FileDescriptor pidfd;  // of this process: the agent knows by it when its owner has gone
};

Prepared prepare(AgentOptions& options) {
  options.socket_name = control::new_socket_name();
  options.job = ::getpid();
  options.head_ticket_key = control::random_number();
  auto [ours, agents] = control::make_socket_pair();
  Prepared prepared{.ours = std::move(ours), .agents = std::move(agents), .pidfd = open_pidfd(::getpid())};
  if (!prepared.pidfd) throw NodeLost(describe_errno("pidfd_open (needs Linux 5.3 or newer)", errno));
  return prepared;
}

[[noreturn]] void throw_not_forked() {
  throw NodeLost(describe_errno("making the agent's process", errno) +
                 "; is the limit on processes (ulimit -u) reached?");
}

}  // namespace

FileDescriptor bring_up_agent(AgentOptions& options) {
  Prepared prepared = prepare(options);
  const SignalsBlocked blocked;
  const pid_t between = ::fork();
  if (between < 0) throw_not_forked();
  if (between == 0) {
    const pid_t agent = ::fork();
    if (agent == 0) agent_main(std::move(options), std::move(prepared.agents), std::move(prepared.pidfd));
    ::_exit(agent < 0 ? 1 : 0);
  }
  // A head that ignores its children has nothing to reap here. A failure shows on the socket, whose other end
  // is closed.
  while (::waitpid(between, nullptr, 0) < 0 && errno == EINTR) {
  }
  return std::move(prepared.ours);
}

LaunchedAgent launch_agent(AgentOptions& options) {
  Prepared prepared = prepare(options);
  const SignalsBlocked blocked;
  const pid_t pid = ::fork();
  if (pid < 0) throw_not_forked();
  if (pid == 0) agent_main(std::move(options), std::move(prepared.agents), std::move(prepared.pidfd));
  return {.socket = std::move(prepared.ours), .pid = pid};
}

}  // namespace wyvern::agent
