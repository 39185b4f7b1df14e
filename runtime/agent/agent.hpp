#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <wyvern/channels/keeper.hpp>
#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/core/segment.hpp>
#include <wyvern/runtime/agent/event_loop.hpp>
#include <wyvern/runtime/agent/job_cgroup.hpp>
#include <wyvern/runtime/agent/job_end.hpp>
#include <wyvern/runtime/agent/job_processes.hpp>
#include <wyvern/runtime/agent/launcher_link.hpp>
#include <wyvern/runtime/agent/member_server.hpp>
#include <wyvern/runtime/agent/network.hpp>
#include <wyvern/runtime/agent/output_forwarder.hpp>

namespace wyvern::agent {

/// What another node's agent forwards: reading ends of its stdout and stderr, which do not block.
struct NodeOutput {
  int out = -1;
  int err = -1;
};

struct AgentOptions {
  std::uint32_t node = head_node;
  std::string socket_name;
  pid_t job = 0;  ///< what began it, and so what users call it: the launcher, or a head that was run directly
  std::uint64_t head_ticket_key = 0;
  std::uint64_t memory_ceiling = 0;
  bool label = false;
  /// What a launcher wants executed on node 1. None there: the owner is the head itself.
  std::optional<HeadCommand> command;

  /// None: it is the job's only node.
  std::optional<NetworkOptions> network;
  NetworkFactory open_network;         ///< with `network`
  std::uint32_t nodes_on_machine = 1;  ///< which share its cores
  int output = -1;                     ///< become its stdout and stderr; -1: its owner's
  int error = -1;
  std::vector<NodeOutput> other_nodes;  ///< whose output it forwards

  bool is_launched() const { return command || network; }
};

/// What the agent's process has when it begins; see agent_main.hpp.
struct AgentDescriptors {
  FileDescriptor owner;        ///< the socket to the launcher, or to the head that was run directly
  FileDescriptor owner_pidfd;  ///< of the same
  JobCgroup cgroup;            ///< that the agent is in, if it has one
  FileDescriptor self_pidfd;
  FileDescriptor signals;  ///< a non-blocking signalfd for SIGCHLD, and for what asks the agent to end
};

/// The agent of a node: owns its shared memory, starts its processes, notices their deaths and settles what
/// they leave, forwards their output, and ends the job. One thread that waits for nothing but its event loop.
class Agent {
 public:
  /// Throws what keeps the node from coming to be. The descriptors must outlive the agent; it may take the
  /// owner's, and ends the group.
  Agent(AgentOptions options, AgentDescriptors& descriptors, const rlimit& descriptor_limit);

  /// Serves until the job is over. Throws what keeps the other nodes, or the head, from coming to be.
  void serve();

 private:
  void on_signal();
  void on_owner_gone();
  void on_signal_job(const control::SignalJob& request);
  void on_leaving(const MemberServer::Leaving& leaving);
  void on_disconnected(Puid process);
  void on_ended(const JobProcess& process, std::int32_t status);
  void on_gone(Puid process, std::uint64_t homes);
  void come_up();
  void launch_head();

  void turn();
  void release_programs();
  void advance_end();
  void finish();
  void end_cgroup();
  bool is_all_out(bool head_goes_on);
  void say_over();
  void log(std::string_view line);
  bool is_launched() const { return options_.is_launched(); }
  std::optional<EventLoop::Clock::time_point> next_turn() const;

  // Of a job of several nodes; in agent_nodes.cpp.
  LauncherLink::Hooks launcher_hooks();
  void join_nodes();
  void report_awaited();
  void report_end();
  bool waits_for_others() const;

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
  std::optional<LauncherLink> launcher_;
  std::unique_ptr<Network> network_;
  EventLoop::Clock::time_point next_sweep_;
  std::uint32_t idle_sweeps_ = 0;  // in a row that found no queue used
  std::optional<MemberServer::Leaving> head_leaving_;
  std::vector<MemberServer::Leaving> programs_leaving_;  // see Leaving::is_program
  std::int32_t head_status_ = 0;
  std::optional<EventLoop::Clock::time_point> output_limit_;
  bool said_over_ = false;
  bool over_ = false;

  bool nodes_ready_ = false;
  bool head_returned_ = false;            // and this node says whether any process is awaited
  bool others_ended_ = false;             // node 1: all other nodes have
  std::optional<bool> reported_awaited_;  // what was said last
  std::optional<bool> reported_kill_;     // node 1 has said that it ends, and whether it kills
};

}  // namespace wyvern::agent
