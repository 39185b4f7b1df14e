#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <wyvern/channels/keeper.hpp>
#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/core/segment.hpp>
#include <wyvern/runtime/agent/event_loop.hpp>
#include <wyvern/runtime/agent/job_end.hpp>
#include <wyvern/runtime/agent/job_processes.hpp>
#include <wyvern/runtime/agent/member_server.hpp>
#include <wyvern/runtime/agent/output_forwarder.hpp>

namespace wyvern::agent {

struct AgentOptions {
  std::string socket_name;
  std::uint64_t head_ticket_key = 0;
  std::uint64_t memory_ceiling = 0;
  bool label = false;
  /// What a launcher wants executed. None: the owner is the head itself.
  std::optional<HeadCommand> command;
};

/// What the agent's process has when it begins; see agent_main.hpp.
struct AgentDescriptors {
  FileDescriptor owner;        ///< the socket to the launcher, or to the head that was run directly
  FileDescriptor owner_pidfd;  ///< of the same
  FileDescriptor self_pidfd;
  FileDescriptor signals;  ///< a non-blocking signalfd for SIGCHLD, and for what asks the agent to end
};

/// The agent of a node: owns its shared memory, starts its processes, notices their deaths and settles what
/// they leave, forwards their output, and ends the job. One thread that waits for nothing but its event loop.
class Agent {
 public:
  /// Throws what keeps the node from coming to be. The descriptors must outlive the agent; it may take the
  /// owner's.
  Agent(AgentOptions options, AgentDescriptors& descriptors, const rlimit& descriptor_limit);

  /// Serves until the job is over.
  void serve();

 private:
  void on_signal();
  void on_owner_gone();
  void on_owner_message();
  void on_leaving(const MemberServer::Leaving& leaving);
  void on_disconnected(Puid process);
  void on_ended(const JobProcess& process, std::int32_t status);
  void launch_head();

  void turn();
  void release_programs();
  void advance_end();
  void finish();
  void log(std::string_view line);
  bool is_launched() const { return options_.command.has_value(); }
  std::optional<EventLoop::Clock::time_point> next_turn() const;

  AgentOptions options_;
  AgentDescriptors& descriptors_;
  EventLoop loop_;
  Segment segment_;
  Keeper keeper_;
  OutputForwarder forwarder_;
  JobProcesses processes_;
  JobNames names_{keeper_};
  MemberServer server_;
  JobEnd end_;
  EventLoop::Watch signal_watch_;
  EventLoop::Watch owner_death_;
  EventLoop::Watch owner_messages_;
  EventLoop::Clock::time_point next_sweep_;
  std::optional<MemberServer::Leaving> head_leaving_;
  std::vector<MemberServer::Leaving> programs_leaving_;  // see Leaving::is_program
  std::int32_t head_status_ = 0;
  std::optional<EventLoop::Clock::time_point> output_limit_;
  bool over_ = false;
};

}  // namespace wyvern::agent
