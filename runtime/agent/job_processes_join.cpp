// The part of JobProcesses that takes in programs which somebody starts by hand.

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>

#include <charconv>
#include <chrono>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include <wyvern/core/pidfd.hpp>
#include <wyvern/core/process_stat.hpp>
#include <wyvern/runtime/agent/job_processes.hpp>
#include <wyvern/runtime/protocol/packet.hpp>

namespace wyvern::agent {
namespace {

/// For who started a program to say how that ended.
constexpr std::chrono::seconds patience_with_joiners{1};

bool has_ended(const FileDescriptor& pidfd) {
  pollfd waited{pidfd.get(), POLLIN, 0};
  return ::poll(&waited, 1, 0) == 1;
}

/// How a process ended that its parent has not reaped yet: 0..255, or minus the signal. Nothing: it has been,
/// or that may not be seen.
std::optional<std::int32_t> status_of_dead(const FileDescriptor& pidfd) {
  std::ifstream lines("/proc/self/fdinfo/" + std::to_string(pidfd.get()));
  for (std::string line; std::getline(lines, line);) {
    pid_t pid = 0;  // -1 once it has been reaped: it may be another's then
    if (!line.starts_with("Pid:")) continue;
    std::from_chars(line.data() + line.find_first_of("-0123456789"), line.data() + line.size(), pid);
    if (pid > 0) return read_exit_status(pid);
  }
  return std::nullopt;
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
  if (process.ended || process.child != 0 || program <= 0)
    throw control::Malformed("its program runs already, has ended, or is none");
  if (!is_of_process(pidfd)) throw control::Malformed("what it says is its program's is no pidfd");
  process.child_death = loop_.watch(pidfd.get(), EPOLLIN,
                                    [this, puid = process.puid](std::uint32_t) { joined_child_ended(puid); });
  process.child = program;
  process.child_pidfd = std::move(pidfd);
  if (process.index && process.member == 0)
    keeper_.note_os_pid(*process.index, static_cast<std::uint32_t>(program));
}

void JobProcesses::joined_ended(JobProcess& process, std::int32_t status) {
  if (process.child == 0 && process.member == 0) {  // it never came to be
    forget_member(process);
    publish_end(process, status);
    forget(process);
    return;
  }
  if (!process.child_pidfd || !has_ended(process.child_pidfd))
    throw control::Malformed("its program is said to have ended, and goes on");
  process.child_death.reset();
  process.child_pidfd.reset();
  process.child_ended.reset();
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
  process->joiner_gone = true;
  if (has_ended(process->child_pidfd)) joined_child_ended(puid);
}

void JobProcesses::joined_child_ended(Puid puid) {
  JobProcess* const process = find(puid);
  if (process == nullptr || process->ended) return;
  process->child_death.reset();  // it stays readable
  if (process->joiner_gone) {
    joined_ended(*process, status_of_dead(process->child_pidfd).value_or(-SIGKILL));
  } else if (!process->child_ended) {
    process->child_ended = EventLoop::Clock::now();
  }
}

void JobProcesses::settle_joined(EventLoop::Clock::time_point now) {
  for (auto next = processes_.begin(); next != processes_.end();) {
    JobProcess& process = (next++)->second;  // it may be erased
    if (!process.child_ended || now - *process.child_ended < patience_with_joiners) continue;
    const auto status = status_of_dead(process.child_pidfd);
    joined_ended(process, status.value_or(process.left_with.value_or(unknown_status)));
  }
}

}  // namespace wyvern::agent
