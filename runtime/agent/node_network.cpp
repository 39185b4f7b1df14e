#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/agent/node_network.hpp>
#include <wyvern/runtime/protocol/messages.hpp>
#include <wyvern/runtime/protocol/network_plan.hpp>
#include <wyvern/transport/fabric_endpoint.hpp>
#include <wyvern/transport/peer_address.hpp>

namespace wyvern::agent {
namespace {

static_assert(max_peer_address_bytes <= control::node_address_bytes);

std::shared_ptr<Member> make_member(const Keeper& keeper, std::uint32_t index,
                                    std::unique_ptr<LoopAgentLink> link) {
  const Segment& segment = keeper.segment();
  const SegmentHeader& header = segment.header();
  return std::make_shared<Member>(
      std::shared_ptr<const Segment>(std::shared_ptr<const Segment>(), &segment),  // which the agent owns
      index, Puid::make(header.system, header.node, agent_sequence), Puid(), std::move(link));
}

}  // namespace

NodeNetwork::NodeNetwork(const NetworkSurroundings& surroundings)
    : options_(surroundings.options),
      loop_(surroundings.loop),
      requests_(surroundings.processes, surroundings.names,
                {.answer =
                     [this](const GuestRequest& request, std::vector<std::byte> reply) {
                       server_->post(
                           [guest = request.guest, operation = request.operation,
                            reply = std::move(reply)](Home& home) { home.answer(guest, operation, reply); });
                     },
                 .refuse =
                     [this](const GuestRequest& request, const Error& error) {
                       server_->post([guest = request.guest, operation = request.operation,
                                      error](Home& home) { home.refuse(guest, operation, error); });
                     },
                 .refuses_starts = surroundings.refuses_starts}) {
  Keeper& keeper = surroundings.keeper;
  const SegmentHeader& header = keeper.segment().header();
  const std::uint32_t index = keeper.admit(Puid::make(header.system, header.node, agent_sequence));
  auto link = std::make_unique<LoopAgentLink>(loop_, keeper, surroundings.names, index);
  link_ = link.get();
  member_ = make_member(keeper, index, std::move(link));
  const auto report = [this, log = surroundings.log](const std::string& line) {
    loop_.post([log, line] { log(line); });
  };
  foreign_.emplace(
      member_,
      ForeignHomes::Hooks{
          .create = [this](std::shared_ptr<void> kept) { return link_->create_stand_in(std::move(kept)); },
          .tell = [this](std::function<void(Home&)> task) { server_->post(std::move(task)); }});
  server_ = std::make_unique<HomeServer>(
      member_, std::make_unique<FabricEndpoint>(EndpointOptions{.provider = options_.provider}), options_.key,
      HomeOptions{.report = report, .requests = this, .stand_ins = &*foreign_});
}

/// Nobody waits for this thread any more; and what ends first is what uses the home's thread.
NodeNetwork::~NodeNetwork() {
  link_->close();
  foreign_->end();
}

void NodeNetwork::set_nodes(std::vector<std::vector<std::byte>> addresses) {
  NetworkPlan plan{.provider = options_.provider, .key = options_.key, .addresses = std::move(addresses)};
  plan_ = control::write_network_plan(plan);
  link_->set_network(std::move(plan));
}

/// Who puts handles of other nodes' queues is a guest of its own node, too.
void NodeNetwork::process_ended(Puid process, std::uint64_t homes) {
  if ((homes & node_bit(member_->segment().header().node)) != 0)
    server_->post([process](Home& home) { home.process_ended(process); });
  foreign_->tell_ended(process, homes);
}

std::unique_ptr<Network> open_node_network(const NetworkSurroundings& surroundings) {
  return std::make_unique<NodeNetwork>(surroundings);
}

/// Called by the home's thread.
void NodeNetwork::request(GuestRequest request) {
  loop_.post(
      [this, alive = std::weak_ptr(alive_), request = std::make_shared<GuestRequest>(std::move(request))] {
        if (!alive.expired()) requests_.handle(*request);
      });
}

/// Called by the home's thread.
void NodeNetwork::cancel(std::uint64_t guest, std::uint32_t operation) {
  loop_.post([this, alive = std::weak_ptr(alive_), guest, operation] {
    if (!alive.expired()) requests_.cancel(guest, operation);
  });
}

}  // namespace wyvern::agent
