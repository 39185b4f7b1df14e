#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
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
  JobCgroup cgroup;
};

Prepared prepare(AgentOptions& options) {
  options.socket_name = control::new_socket_name();
  options.job = ::getpid();
  options.head_ticket_key = control::random_number();
  auto [ours, agents] = control::make_socket_pair();
  Prepared prepared{
      .ours = std::move(ours), .agents = std::move(agents), .pidfd = open_pidfd(::getpid()), .cgroup = {}};
  if (!prepared.pidfd) throw NodeLost(describe_errno("pidfd_open (needs Linux 5.3 or newer)", errno));
  JobCgroup::end_left_over();
  prepared.cgroup = JobCgroup::make_if_wanted(options.job, options.node);
  return prepared;
}

[[noreturn]] void throw_not_forked(Prepared& prepared) {
  const int error = errno;
  prepared.cgroup.end(Deadline::now());
  throw NodeLost(describe_errno("making the agent's process", error) +
                 "; is the limit on processes (ulimit -u) reached?");
}

/// There may be an agent, whose pid nobody knows: it is in the group.
[[noreturn]] void throw_nothing_said(std::uint32_t node, Prepared& prepared) {
  prepared.cgroup.end(Deadline::after(cgroup_patience));
  throw NodeLost("what makes the agent of node " + std::to_string(node) +
                 " was killed before it could say whether there is one: none is left; run the job again");
}

[[noreturn]] void become_agent(AgentOptions& options, Prepared& prepared) {
  agent_main(std::move(options), {.owner = std::move(prepared.agents),
                                  .owner_pidfd = std::move(prepared.pidfd),
                                  .cgroup = std::move(prepared.cgroup)});
}

void wait_for(pid_t child) {
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
}

/// -1 if there is no group, or the agent cannot be made in it. Throws NodeLost if nobody can say.
pid_t launch_in_cgroup(AgentOptions& options, Prepared& prepared) {
  int ends[2] = {-1, -1};
  if (!prepared.cgroup || ::pipe2(ends, O_CLOEXEC) != 0) return -1;
  const FileDescriptor reading(ends[0]);
  FileDescriptor writing(ends[1]);
  // This process may have several threads; the one between has not.
  const pid_t between = ::fork();
  if (between == 0) {
    const pid_t agent = prepared.cgroup.fork_into(/*for_parent=*/true);
    if (agent == 0) become_agent(options, prepared);
    const bool told = ::write(writing.get(), &agent, sizeof agent) == sizeof agent;
    ::_exit(told ? 0 : 1);
  }
  if (between < 0) return -1;
  writing.reset();
  pid_t agent = -1;
  const bool told = ::read(reading.get(), &agent, sizeof agent) == sizeof agent;
  wait_for(between);
  if (!told) throw_nothing_said(options.node, prepared);
  return agent;
}

}  // namespace

AgentBroughtUp bring_up_agent(AgentOptions& options) {
  Prepared prepared = prepare(options);
  const SignalsBlocked blocked;
  const pid_t between = ::fork();
  if (between < 0) throw_not_forked(prepared);
  if (between == 0) {
    pid_t agent = prepared.cgroup.fork_into(/*for_parent=*/false);
    if (agent < 0) agent = ::fork();
    if (agent == 0) become_agent(options, prepared);
    if (agent < 0) prepared.cgroup.end(Deadline::now());
    ::_exit(agent < 0 ? 1 : 0);
  }
  // A head that ignores its children has nothing to reap here. A failure shows on the socket, whose other end
  // is closed.
  wait_for(between);
  return {.socket = std::move(prepared.ours), .cgroup = std::move(prepared.cgroup)};
}

LaunchedAgent launch_agent(AgentOptions& options) {
  Prepared prepared = prepare(options);
  const SignalsBlocked blocked;
  pid_t pid = launch_in_cgroup(options, prepared);
  if (pid < 0) pid = ::fork();
  if (pid < 0) throw_not_forked(prepared);
  if (pid == 0) become_agent(options, prepared);
  return {{.socket = std::move(prepared.ours), .cgroup = std::move(prepared.cgroup)}, pid};
}

}  // namespace wyvern::agent
