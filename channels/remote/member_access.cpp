#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <wyvern/channels/remote/member_access.hpp>
#include <wyvern/channels/remote/watching.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/transport/fabric_endpoint.hpp>

namespace wyvern {
namespace {

[[noreturn]] void throw_no_such_node(std::uint32_t node, std::size_t nodes) {
  throw NodeLost("a queue of node " + std::to_string(node) + " cannot be reached: this job has " +
                 (nodes == 1 ? "one node" : "nodes 1 to " + std::to_string(nodes)));
}

std::shared_ptr<RemoteAccess> make_access(const std::shared_ptr<Member>& member, std::uint32_t node) {
  std::optional<NetworkPlan> plan = member->agent().network();
  if (!plan) throw_no_such_node(node, 1);
  const auto address_of = [addresses = std::move(plan->addresses)](std::uint32_t number) {
    if (number == 0 || number > addresses.size()) throw_no_such_node(number, addresses.size());
    return addresses[number - 1];
  };
  // A fork has the memory of it and not the thread.
  const auto end = [](RemoteAccess* access) {
    if (!Member::forked()) delete access;
  };
  auto endpoint = std::make_unique<FabricEndpoint>(EndpointOptions{.provider = plan->provider});
  return {new RemoteAccess(member, std::move(endpoint), plan->key, address_of, watch_of_homes), end};
}

}  // namespace

RemoteAccess& remote_access(const std::shared_ptr<Member>& member, std::uint32_t node) {
  Member::check_not_forked();
  NetworkAccess& network = member->network_access();
  const std::lock_guard lock(network.mutex);
  if (network.access == nullptr) network.access = make_access(member, node);
  return *static_cast<RemoteAccess*>(network.access.get());
}

void leave_network(Member& member, std::chrono::milliseconds farewell) noexcept {
  if (Member::forked()) return;
  std::shared_ptr<void> access;
  {
    const std::lock_guard lock(member.network_access().mutex);
    access = member.network_access().access;
  }
  if (access != nullptr) static_cast<RemoteAccess*>(access.get())->leave(farewell);
}

}  // namespace wyvern
