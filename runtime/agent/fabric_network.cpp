#include <utility>

#include <wyvern/runtime/agent/fabric_network.hpp>
#include <wyvern/runtime/protocol/messages.hpp>
#include <wyvern/transport/peer_address.hpp>

namespace wyvern::agent {

static_assert(max_peer_address_bytes <= control::node_address_bytes);

FabricNetwork::FabricNetwork(const NetworkSurroundings& surroundings)
    : endpoint_(EndpointOptions{.provider = surroundings.options.provider}) {}

void FabricNetwork::set_nodes(std::vector<std::vector<std::byte>> addresses) {
  addresses_ = std::move(addresses);
}

std::unique_ptr<Network> open_fabric_network(const NetworkSurroundings& surroundings) {
  return std::make_unique<FabricNetwork>(surroundings);
}

}  // namespace wyvern::agent
