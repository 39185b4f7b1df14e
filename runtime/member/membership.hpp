#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include <wyvern/core/member.hpp>
#include <wyvern/runtime/member/agent_watch.hpp>
#include <wyvern/runtime/member/socket_agent_link.hpp>
#include <wyvern/runtime/protocol/start_payload.hpp>

namespace wyvern {

/// This process's time in a job, from its attachment to its leave. While it lives, Member::current() is its
/// member.
class Membership {
 public:
  /// Finds the job in the environment, or, if there is none, brings up an agent and becomes the head of a new
  /// one. Throws NodeLost, VersionMismatch, NotAMember, OutOfMemory, InvalidArgument (WYVERN_MEMORY,
  /// WYVERN_CGROUP).
  Membership();
  ~Membership();
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  const std::shared_ptr<Member>& member() const { return member_; }
  /// What this process was started for; nothing: it runs what it likes, as a head does.
  std::optional<std::span<const std::byte>> entry() const;
  /// What the kernel shall call a process that was started for something.
  const char* name() const { return payload_ ? payload_->name() : ""; }
  /// The agent started this process: its output goes through the agent.
  bool was_started() const { return !brought_up_; }

  /// The process holds what its arguments name.
  void say_ready() noexcept { link().say_ready(); }
  /// It has nothing more to do with other nodes.
  void leave_network() noexcept;
  /// The process is done, with that exit status: waits until all it started has ended. Throws NodeLost;
  /// if it has brought up an agent, which was killed, what that has left in its group has ended by then.
  void leave(int status);
  /// The process is done, but not as it should be: what it started is ended.
  void abandon(int status) noexcept;
  /// The same, from within exit().
  void announce_exit(int status) noexcept;

 private:
  SocketAgentLink& link() const;
  /// Until the agent that this process has made has ended.
  void wait_for_agent() noexcept;

  bool brought_up_ = false;
  std::shared_ptr<Member> member_;
  agent::JobCgroup cgroup_;  // of an agent that this process has made
  std::optional<AgentWatch> watch_;
  std::optional<control::StartPayload> payload_;
};

/// The agent of a member that Membership has made, with what the runtime alone asks of it.
SocketAgentLink& agent_link(const Member& member);

}  // namespace wyvern
