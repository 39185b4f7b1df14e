#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/launcher/complain.hpp>
#include <wyvern/runtime/launcher/job_run.hpp>
#include <wyvern/runtime/launcher/node_addresses.hpp>

namespace wyvern::launcher {

using Kind = JobNodes::Instruction::Kind;
namespace {

/// Stricter than control::throw_if_failed: agents that this command has made are of its version.
void throw_if_own_agent_failed(const control::Packet& packet) {
  if (control::header_of(packet).kind != control::MessageKind::failed) return;
  const auto failure = control::read_message<control::Failed>(packet);
  throw_error(static_cast<ErrorCode>(failure.code), control::read_text(failure.text));
}

std::vector<std::byte> address_in(const control::Packet& packet) {
  const auto message = control::read_message<control::NodeReady>(packet);
  if (message.address_bytes > sizeof message.address) throw control::Malformed("its address cannot be");
  return {message.address, message.address + message.address_bytes};
}

void send_addresses(NodeAgents& agents, const std::vector<std::vector<std::byte>>& addresses) {
  auto message = control::make_message<control::NodeAddress>(0);
  for (const std::vector<std::byte>& address : addresses) {
    ++message.node;
    message.address_bytes = static_cast<std::uint32_t>(address.size());
    std::ranges::copy(address, message.address);
    agents.send_all(message);
  }
  auto ready = control::make_message<control::NodesReady>(0);
  ready.count = agents.count();
  agents.send_all(ready);
}

}  // namespace

JobRun::JobRun(NodeAgents& agents, int signals)
    : agents_(agents), signals_(signals), nodes_(agents.count()) {}

void JobRun::introduce_nodes(const std::string& provider) {
  if (agents_.count() == 1) return;
  NodeAddresses addresses(agents_.count());
  const Deadline deadline = Deadline::after(ready_patience);
  while (!addresses.are_complete()) {
    agents_.wait(signals_, deadline);
    take_signals();
    if (was_signalled_) throw NodeLost("the job was ended before its nodes were ready");
    for (std::uint32_t node = 1; node <= agents_.count(); ++node) {
      control::Packet packet;
      const control::Transfer result = agents_.receive(node, packet);
      if (result == control::Transfer::would_block) continue;
      if (result == control::Transfer::closed ||
          control::header_of(packet).kind == control::MessageKind::job_over) {
        throw NodeLost("the agent of node " + std::to_string(node) +
                       " has ended before it was ready; was it killed, perhaps for want of memory?");
      }
      throw_if_own_agent_failed(packet);
      addresses.add(node, address_in(packet));
    }
    if (deadline.passed() && !addresses.are_complete()) {
      throw NodeLost("after " + std::to_string(ready_patience.count()) + " s there is still no word from " +
                     addresses.missing() + " of " + std::to_string(agents_.count()) + "; the provider " +
                     provider +
                     " may hang, or the machine be overloaded: try another --provider, or fewer --nodes");
    }
  }
  send_addresses(agents_, addresses.all());
}

std::optional<std::int32_t> JobRun::wait_for_end(Deadline limit) {
  while (!nodes_.is_over()) {
    const auto next = nodes_.deadline();
    agents_.wait(signals_, earliest(next ? Deadline::at(*next) : Deadline::never(), limit));
    take_signals();
    if (limit.passed()) {
      end_late_job();
      limit = Deadline::never();
    }
    take_messages();
    while (nodes_.wants_another_look()) {
      if (!take_messages()) nodes_.nothing_more_came(JobNodes::Clock::now());
    }
    nodes_.time_passed(JobNodes::Clock::now());
    for (const JobNodes::Instruction& instruction : nodes_.take_instructions()) follow(instruction);
  }
  return nodes_.head_status();
}

void JobRun::take_signals() {
  signalfd_siginfo info;
  while (::read(signals_, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGCHLD) {
      agents_.end_orphans();
      continue;
    }
    // From the terminal it reaches the whole foreground process group, the head too.
    send_signal(info.ssi_signo, info.ssi_code == SI_KERNEL);
  }
}

/// A second signal would kill it: one that was told to end already has its grace period.
void JobRun::end_late_job() {
  if (was_signalled_) return;
  complain("the job has not ended within the time that --timeout gives it, and is ended");
  send_signal(SIGTERM, /*skip_head=*/false);
}

void JobRun::send_signal(std::uint32_t number, bool skip_head) {
  was_signalled_ = true;
  auto message = control::make_message<control::SignalJob>(0);
  message.signal = number;
  message.skip_head = skip_head ? 1 : 0;
  agents_.send_all(message);
}

bool JobRun::take_messages() {
  bool anything = false;
  for (std::uint32_t node = 1; node <= agents_.count(); ++node) {
    control::Packet packet;
    control::Transfer result = control::Transfer::done;
    while ((result = agents_.receive(node, packet)) == control::Transfer::done) {
      anything = true;
      take(node, packet);
    }
    if (result != control::Transfer::closed) continue;
    anything = true;
    nodes_.gone(node, JobNodes::Clock::now());
  }
  return anything;
}

void JobRun::take(std::uint32_t node, const control::Packet& packet) {
  using control::MessageKind;
  throw_if_own_agent_failed(packet);
  switch (control::header_of(packet).kind) {
    case MessageKind::head_returned:
      control::read_message<control::HeadReturned>(packet);
      nodes_.head_returned();
      break;
    case MessageKind::awaited:
      nodes_.awaited(node, control::read_message<control::Awaited>(packet).any != 0);
      break;
    case MessageKind::job_ends:
      nodes_.job_ends(control::read_message<control::JobEnds>(packet).kill != 0, JobNodes::Clock::now());
      break;
    default:
      nodes_.over(node, control::read_message<control::JobOver>(packet).status, JobNodes::Clock::now());
  }
}

void JobRun::follow(const JobNodes::Instruction& instruction) {
  const std::uint32_t node = instruction.node;
  switch (instruction.kind) {
    case Kind::say_head_returned: agents_.send(node, control::make_message<control::HeadReturned>(0)); break;
    case Kind::end_node:
    case Kind::kill_node: {
      auto message = control::make_message<control::EndNode>(0);
      message.kill = instruction.kind == Kind::kill_node ? 1 : 0;
      agents_.send(node, message);
      break;
    }
    case Kind::kill_agent: agents_.kill(node); break;
    case Kind::say_others_ended: agents_.send(node, control::make_message<control::OthersEnded>(0)); break;
    case Kind::report_death:
      complain("the agent of node " + std::to_string(node) + " has died, and " +
               (node == head_node ? "the job with it" : "its processes with it; the job goes on"));
  }
}

}  // namespace wyvern::launcher
