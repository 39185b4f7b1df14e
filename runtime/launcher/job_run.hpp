#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <wyvern/core/deadline.hpp>
#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/runtime/launcher/job_nodes.hpp>
#include <wyvern/runtime/launcher/node_agents.hpp>

namespace wyvern::launcher {

/// What goes between the launcher and the agents of a job, from when they were made to the job's end.
class JobRun {
 public:
  /// For all nodes to be ready; opening a network takes a second at most on a machine that has something
  /// else to do.
  static constexpr std::chrono::seconds ready_patience{30};

  /// `signals`: a non-blocking signalfd for SIGINT, SIGTERM and SIGCHLD. Both outlive this.
  JobRun(NodeAgents& agents, int signals);

  /// Waits until all nodes are ready, and tells them where the others are reached. Nothing to do for one
  /// node. Throws NodeLost, naming the nodes that are not ready, or that a signal came first; what an agent
  /// says of its failure.
  void introduce_nodes(const std::string& provider);
  /// Passes signals on and waits until nothing is left of any node: how the head ended; nothing if the agent
  /// of node 1 has died. A job that takes longer than `limit` is ended as by SIGTERM. Throws what an agent
  /// says of a failure.
  std::optional<std::int32_t> wait_for_end(Deadline limit);

 private:
  /// SIGINT or SIGTERM: passed on. SIGCHLD: orphans end.
  void take_signals();
  void end_late_job();
  void send_signal(std::uint32_t number, bool skip_head);
  /// Takes what is on the connections until all are empty. Whether there was anything.
  bool take_messages();
  void take(std::uint32_t node, const control::Packet& packet);
  void follow(const JobNodes::Instruction& instruction);

  NodeAgents& agents_;
  int signals_;
  JobNodes nodes_;
  bool was_signalled_ = false;
};

}  // namespace wyvern::launcher
