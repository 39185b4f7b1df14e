#pragma once

#include <wyvern/runtime/agent/network.hpp>
#include <wyvern/transport/fabric_endpoint.hpp>

namespace wyvern::agent {

/// An endpoint of libfabric that reaches the nodes on this machine.
class FabricNetwork final : public Network {
 public:
  /// Takes some 100 ms: loads libfabric. Throws FabricError; NotFound if this machine has no such provider.
  explicit FabricNetwork(const NetworkSurroundings& surroundings);

  std::span<const std::byte> address() const override { return endpoint_.address(); }
  void set_nodes(std::vector<std::vector<std::byte>> addresses) override;

 private:
  FabricEndpoint endpoint_;
  std::vector<std::vector<std::byte>> addresses_;
};

/// The NetworkFactory of agents that the launcher starts.
std::unique_ptr<Network> open_fabric_network(const NetworkSurroundings& surroundings);

}  // namespace wyvern::agent
