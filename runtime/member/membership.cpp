#include <cstdlib>
#include <string>
#include <utility>

#include <wyvern/channels/remote/member_access.hpp>
#include <wyvern/channels/ring_layout.hpp>
#include <wyvern/core/deadline.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/memory_limit.hpp>
#include <wyvern/runtime/agent/bring_up.hpp>
#include <wyvern/runtime/member/membership.hpp>
#include <wyvern/runtime/memory_size.hpp>
#include <wyvern/runtime/protocol/seqpacket.hpp>
#include <wyvern/runtime/protocol/ticket.hpp>

namespace wyvern {
namespace {

struct Connection {
  FileDescriptor socket;
  control::Ticket ticket;
  bool brought_up = false;
  agent::JobCgroup cgroup;  // if it has brought up its agent
};

Connection join_job(const std::string& agent) {
  const char* text = std::getenv(control::ticket_variable);
  const auto ticket = text != nullptr ? control::parse_ticket(text) : std::nullopt;
  if (!ticket) {
    throw NotAMember(std::string(control::agent_variable) + " is set but " + control::ticket_variable +
                     " is not a ticket; unset both to start a job of its own");
  }
  return {.socket = control::connect_to(agent, SocketAgentLink::answer_limit),
          .ticket = *ticket,
          .brought_up = false,
          .cgroup = {}};
}

Connection start_job() {
  agent::AgentOptions options;
  options.memory_ceiling = memory_ceiling_from_environment();
  agent::AgentBroughtUp brought_up = agent::bring_up_agent(options);
  return {.socket = std::move(brought_up.socket),
          .ticket = {.key = options.head_ticket_key, .sequence = 0},
          .brought_up = true,
          .cgroup = std::move(brought_up.cgroup)};
}

Connection connect() {
  const char* agent = std::getenv(control::agent_variable);
  return agent != nullptr ? join_job(agent) : start_job();
}

/// An agent that was killed has left its group to who has made it. Does not wait for one that lives.
void end_group_if_agent_has_died(SocketAgentLink& link, agent::JobCgroup& cgroup) {
  if (cgroup && link.wait_for_end(Deadline::now())) cgroup.end(Deadline::after(agent::cgroup_patience));
}

SocketAgentLink::Admission attach(SocketAgentLink& link, const control::Ticket& ticket,
                                  agent::JobCgroup& cgroup) {
  try {
    return link.attach(ticket, channels_layout_hash);
  } catch (const NodeLost&) {
    end_group_if_agent_has_died(link, cgroup);
    throw;
  }
}

}  // namespace

Membership::Membership() {
  Connection connection = connect();
  brought_up_ = connection.brought_up;
  cgroup_ = std::move(connection.cgroup);
  auto link = std::make_unique<SocketAgentLink>(std::move(connection.socket));
  auto admission = attach(*link, connection.ticket, cgroup_);
  const control::Attached& message = admission.message;
  if (!AgentWatch::dies_with_parent(static_cast<int>(message.agent_pid))) {
    watch_.emplace(std::move(admission.agent_pidfd), cgroup_);
  }
  if (admission.payload) payload_.emplace(admission.payload.get());
  member_ = std::make_shared<Member>(
      std::make_shared<const Segment>(Segment::attach(std::move(admission.segment), channels_layout_hash)),
      message.process_index, Puid(message.puid), Puid(message.parent), std::move(link));
  Member::set_current(member_);
}

Membership::~Membership() { Member::set_current(nullptr); }

std::optional<std::span<const std::byte>> Membership::entry() const {
  return payload_ ? std::optional(payload_->entry()) : std::nullopt;
}

void Membership::leave_network() noexcept { wyvern::leave_network(*member_); }

void Membership::leave(int status) {
  if (brought_up_) watch_.reset();  // the agent is about to end
  try {
    link().leave(status);
  } catch (const NodeLost&) {
    end_group_if_agent_has_died(link(), cgroup_);
    throw;
  }
  wait_for_agent();
}

void Membership::abandon(int status) noexcept {
  announce_exit(status);
  wait_for_agent();
}

void Membership::wait_for_agent() noexcept {
  if (!brought_up_) return;
  if (link().wait_for_end(Deadline::after(SocketAgentLink::answer_limit)))
    cgroup_.end(Deadline::after(agent::cgroup_patience));
}

void Membership::announce_exit(int status) noexcept {
  if (brought_up_) watch_.reset();
  link().leave_early(status);
}

SocketAgentLink& Membership::link() const { return agent_link(*member_); }

SocketAgentLink& agent_link(const Member& member) { return static_cast<SocketAgentLink&>(member.agent()); }

}  // namespace wyvern
