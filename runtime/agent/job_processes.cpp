#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/core/pidfd.hpp>
#include <wyvern/runtime/agent/descendants.hpp>
#include <wyvern/runtime/agent/job_processes.hpp>

namespace wyvern::agent {

JobProcess& JobProcesses::add_head(std::uint64_t ticket_key) { return add(Puid(), ticket_key); }

JobProcess& JobProcesses::add(Puid parent, std::uint64_t ticket_key) {
  const SegmentHeader& header = keeper_.segment().header();
  const std::uint32_t sequence = keeper_.begin_process();
  begun_ = sequence + 1;
  JobProcess& process = processes_[sequence];
  process.puid = Puid::make(header.system, header.node, sequence);
  process.parent = parent;
  process.ticket = {.key = ticket_key, .sequence = sequence};
  return process;
}

JobProcess& JobProcesses::attach(const control::Ticket& ticket, control::Peer&& peer) {
  const auto found = processes_.find(ticket.sequence);
  if (found == processes_.end() || found->second.ticket != ticket) {
    throw NotAMember("this process was started by a process of the job that has ended");
  }
  if (!peer.pidfd) throw NotAMember("this process has ended");
  JobProcess& named = found->second;
  JobProcess& process = may_be(named, peer.pid) ? named : add(named.puid, control::random_number());

  if (process.member != 0) forget_member(process);  // it has executed itself anew
  if (!process.index) process.index = keeper_.admit(process.puid);
  process.member = peer.pid;
  keeper_.note_os_pid(*process.index, static_cast<std::uint32_t>(peer.pid));
  process.left_with.reset();
  if (process.member != process.child || process.joined) {
    process.member_pidfd = std::move(peer.pidfd);
    process.member_death =
        loop_.watch(process.member_pidfd.get(), EPOLLIN,
                    [this, sequence = process.sequence()](std::uint32_t) { member_ended(sequence); });
  }
  return process;
}

/// Whether a process with that one's ticket is that one, or another that has inherited the ticket.
bool JobProcesses::may_be(const JobProcess& process, pid_t peer) const {
  if (process.ended) return false;
  if (process.payload) return peer == process.child;
  return process.member == 0 || process.member == peer;
}

void JobProcesses::reap_children() {
  while (const std::optional<EndedChild> ended = ended_child()) {
    child_ended(ended->pid, ended->status);
    reap(ended->pid);
  }
}

void JobProcesses::child_ended(pid_t pid, std::int32_t status) {
  for (auto& [sequence, process] : processes_) {
    if (process.joined || process.child != pid) continue;
    // All it wrote is in the pipes: who joins it finds that forwarded.
    forwarder_.drain(sequence);
    end_child(process, status);
    return;
  }
}

void JobProcesses::end_child(JobProcess& process, std::int32_t status) {
  const bool member_lives = process.member != 0 && process.member != process.child;
  process.child = 0;
  if (!member_lives) forget_member(process);
  publish_end(process, status);
  if (!member_lives) forget(process);
}

void JobProcesses::member_ended(std::uint32_t sequence) {
  JobProcess& process = processes_.at(sequence);
  const pid_t ended = process.member;
  forget_member(process);
  if (process.child != 0 && process.child != ended) list_child(process);
  // The program that the child ran, and the child goes on; or how it ended is about to be said.
  if (process.child != 0 || (process.joined && !process.ended)) return;
  if (!process.ended) publish_end(process, process.left_with.value_or(unknown_status));
  forget(process);
}

void JobProcesses::forget(const JobProcess& process) {
  if (process.homes != 0) on_gone_(process.puid, process.homes);
  processes_.erase(process.sequence());
}

/// What is no member has a place in the table as well, for those who look at it.
void JobProcesses::list_child(JobProcess& process) {
  process.index = keeper_.admit(process.puid);
  keeper_.note_os_pid(*process.index, static_cast<std::uint32_t>(process.child));
}

/// The member is dead: what it owned is settled and its place is free.
void JobProcesses::forget_member(JobProcess& process) {
  process.member_death.reset();
  process.member_pidfd.reset();
  process.member = 0;
  if (process.index) {
    process.homes |= keeper_.segment().process(*process.index).homes.load(std::memory_order_relaxed);
    keeper_.bury(*process.index);
  }
  process.index.reset();
}

void JobProcesses::publish_end(JobProcess& process, std::int32_t status) {
  process.ended = true;
  keeper_.end_process(process.sequence(), status);
  on_ended_(process, status);
}

void JobProcesses::send_signal(Puid puid, int number) {
  check_was_started(puid);
  if (const JobProcess* process = find(puid)) signal(*process, number);
}

void JobProcesses::detach(Puid puid) {
  check_was_started(puid);
  if (JobProcess* process = find(puid)) process->detached = true;
}

void JobProcesses::check_was_started(Puid process) const {
  const SegmentHeader& header = keeper_.segment().header();
  const bool is_of_this_node = process.system() == header.system && process.node() == header.node;
  const bool is_no_head = header.node != head_node && process.sequence() == 0;
  if (!is_of_this_node || is_no_head || process.sequence() >= begun_) {
    throw InvalidArgument("there never was a process " + to_string(process) + " on node " +
                          std::to_string(header.node));
  }
}

void JobProcesses::signal_all(int number, bool spare_head) {
  for (const auto& [sequence, process] : processes_) {
    if (!(spare_head && process.is_head())) signal(process, number);
  }
  if (may_end_children(spare_head) && has_children()) signal_children(number);
}

void JobProcesses::signal(const JobProcess& process, int number) const {
  if (process.child_pidfd) {
    send_signal_to(process.child_pidfd, number);  // its group is that of who started it
  } else if (process.child != 0) {
    // The pid is the child's as long as we have not reaped it, and so is that of the group which it leads.
    ::kill(process.leads_group ? -process.child : process.child, number);
  }
  if (process.member_pidfd && process.member != process.child) send_signal_to(process.member_pidfd, number);
}

JobProcess* JobProcesses::find(Puid process) {
  const auto found = processes_.find(process.sequence());
  return found != processes_.end() && found->second.puid == process ? &found->second : nullptr;
}

std::optional<std::int32_t> JobProcesses::status_of(Puid process) const {
  check_was_started(process);
  const std::uint64_t record =
      keeper_.segment().exit_record(process.sequence()).load(std::memory_order_relaxed);  // our own store
  if (exit_phase(record) != ExitPhase::exited) return std::nullopt;
  return exit_status(record);
}

std::size_t JobProcesses::awaited(Puid starter) const {
  std::size_t count = 0;
  for (const auto& [sequence, process] : processes_) {
    const bool by_starter = !starter || process.parent == starter;
    if (by_starter && process.child != 0 && !process.joined && !process.is_head() && !process.detached)
      ++count;
  }
  return count;
}

bool JobProcesses::any_left(bool spare_head) const {
  const std::size_t spared = spare_head ? processes_.count(0) : 0;
  return processes_.size() > spared || (may_end_children(spare_head) && has_children());
}

/// Whether our children are all to be ended. A spared head that is our child is not told from orphans of the
/// job by the kernel's cheap answer; those end after the head.
bool JobProcesses::may_end_children(bool spare_head) const {
  const auto head = processes_.find(0);
  return !spare_head || head == processes_.end() || head->second.child == 0;
}

}  // namespace wyvern::agent
