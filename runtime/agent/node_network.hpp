#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <wyvern/channels/keeper.hpp>
#include <wyvern/channels/remote/foreign_homes.hpp>
#include <wyvern/channels/remote/home_server.hpp>
#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/runtime/agent/event_loop.hpp>
#include <wyvern/runtime/agent/job_names.hpp>
#include <wyvern/runtime/agent/job_processes.hpp>
#include <wyvern/runtime/agent/loop_agent_link.hpp>
#include <wyvern/runtime/agent/network.hpp>
#include <wyvern/runtime/agent/network_options.hpp>
#include <wyvern/runtime/agent/node_requests.hpp>

namespace wyvern::agent {

/// What an agent has to do with other nodes: a thread that is the home of this node's queues for their
/// processes, and what these ask for besides; and this agent as a guest of theirs.
class NodeNetwork final : public Network, private RequestHandler {
 public:
  /// Opens the endpoint, which takes some 100 ms. Throws what FabricEndpoint does, OutOfMemory.
  explicit NodeNetwork(const NetworkSurroundings& surroundings);
  ~NodeNetwork() override;

  std::span<const std::byte> address() const override { return server_->address(); }
  void set_nodes(std::vector<std::vector<std::byte>> addresses) override;
  int plan() const override { return plan_.get(); }
  void answer_waiting() override { requests_.answer_waiting(); }
  void process_ended(Puid process, std::uint64_t homes) override;

 private:
  void request(GuestRequest request) override;
  void cancel(std::uint64_t guest, std::uint32_t operation) override;

  NetworkOptions options_;
  EventLoop& loop_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // tasks in the loop may outlive this
  NodeRequests requests_;
  LoopAgentLink* link_;  // the member's
  std::shared_ptr<Member> member_;
  std::optional<ForeignHomes> foreign_;
  std::unique_ptr<HomeServer> server_;
  FileDescriptor plan_;
};

/// The NetworkFactory of agents.
std::unique_ptr<Network> open_node_network(const NetworkSurroundings& surroundings);

}  // namespace wyvern::agent
