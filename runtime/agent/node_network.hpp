#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <wyvern/channels/keeper.hpp>
#include <wyvern/channels/remote/home_server.hpp>
#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/runtime/agent/event_loop.hpp>
#include <wyvern/runtime/agent/job_names.hpp>
#include <wyvern/runtime/agent/job_processes.hpp>
#include <wyvern/runtime/agent/loop_agent_link.hpp>
#include <wyvern/runtime/agent/network_options.hpp>
#include <wyvern/runtime/agent/node_requests.hpp>

namespace wyvern::agent {

/// What an agent has to do with other nodes: a thread that is the home of this node's queues for their
/// processes, and what these ask for besides. For the agent's thread, whose loop does not run any more after
/// this has ended.
class NodeNetwork : private RequestHandler {
 public:
  struct Hooks {
    std::function<bool()> refuses_starts;
    std::function<void(const std::string& line)> log;
  };

  /// Opens the endpoint, which takes some 100 ms. All that it is given outlives this. Throws what
  /// FabricEndpoint does, OutOfMemory.
  NodeNetwork(const NetworkOptions& options, EventLoop& loop, Keeper& keeper, JobProcesses& processes,
              JobNames& names, Hooks hooks);
  ~NodeNetwork() override;

  /// Where other nodes reach this one; the same from the start.
  const std::vector<std::byte>& address() const { return server_->address(); }
  /// Where all nodes are reached, by number from 1 on. Called once, before any process asks.
  void set_nodes(const std::vector<std::vector<std::byte>>& addresses);
  /// What processes are told of the network, see write_network_plan. After `set_nodes`.
  int plan() const { return plan_.get(); }

  /// See NodeRequests.
  void answer_waiting() { requests_.answer_waiting(); }

 private:
  void request(GuestRequest request) override;
  void cancel(std::uint64_t guest, std::uint32_t operation) override;

  NetworkOptions options_;
  EventLoop& loop_;
  NodeRequests requests_;
  LoopAgentLink* link_;  // the member's
  std::shared_ptr<Member> member_;
  std::unique_ptr<HomeServer> server_;
  FileDescriptor plan_;
};

}  // namespace wyvern::agent
