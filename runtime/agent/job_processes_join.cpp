// The part of JobProcesses that takes in programs which somebody starts by hand.

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>

#include <utility>

#include <wyvern/core/pidfd.hpp>
#include <wyvern/runtime/agent/job_processes.hpp>
#include <wyvern/runtime/protocol/packet.hpp>

namespace wyvern::agent {
namespace {

bool has_ended(const FileDescriptor& pidfd) {
  pollfd waited{pidfd.get(), POLLIN, 0};
  return ::poll(&waited, 1, 0) == 1;
}

}  // namespace

JobProcess& JobProcesses::join() {
  JobProcess& process = add(Puid(), control::random_number());
  process.joined = true;
  try {
    process.index = keeper_.admit(process.puid);
  } catch (...) {
    withdraw(process);
    throw;
  }
  return process;
}

void JobProcesses::joined_runs(JobProcess& process, pid_t program, FileDescriptor pidfd) {
  if (process.child != 0 || program <= 0) throw control::Malformed("its program runs already, or is none");
  process.child = program;
  process.child_pidfd = std::move(pidfd);
  if (process.index && process.member == 0)
    keeper_.note_os_pid(*process.index, static_cast<std::uint32_t>(program));
}

void JobProcesses::joined_ended(JobProcess& process, std::int32_t status) {
  if (process.child == 0 && process.member == 0) {  // it never came to be
    forget_member(process);
    publish_end(process, status);
    processes_.erase(process.sequence());
    return;
  }
  if (!process.child_pidfd || !has_ended(process.child_pidfd))
    throw control::Malformed("its program is said to have ended, and goes on");
  process.child_death.reset();
  process.child_pidfd.reset();
  end_child(process, status);
}

void JobProcesses::joiner_gone(Puid puid) {
  JobProcess* const process = find(puid);
  if (process == nullptr || process->ended) return;
  if (process->child == 0 && process->member == 0) {
    joined_ended(*process, -SIGKILL);
    return;
  }
  if (!process->child_pidfd) {  // nobody but the member itself says what became of it
    process->joined = false;
    return;
  }
  // The kernel kills it as well, unless it has given itself other rights.
  send_signal_to(process->child_pidfd, SIGKILL);
  process->child_death = loop_.watch(process->child_pidfd.get(), EPOLLIN, [this, puid](std::uint32_t) {
    if (JobProcess* const ended = find(puid)) joined_ended(*ended, -SIGKILL);
  });
}

}  // namespace wyvern::agent
