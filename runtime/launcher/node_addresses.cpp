#include <algorithm>
#include <utility>

#include <wyvern/runtime/launcher/node_addresses.hpp>

namespace wyvern::launcher {

void NodeAddresses::add(std::uint32_t node, std::vector<std::byte> address) {
  addresses_.at(node - 1) = std::move(address);
}

bool NodeAddresses::are_complete() const {
  return std::ranges::all_of(addresses_, [](const auto& address) { return address.has_value(); });
}

std::vector<std::vector<std::byte>> NodeAddresses::all() const {
  std::vector<std::vector<std::byte>> all;
  all.reserve(addresses_.size());
  for (const auto& address : addresses_) all.push_back(address.value());
  return all;
}

std::string NodeAddresses::missing() const {
  std::string numbers;
  std::size_t count = 0;
  for (std::size_t i = 0; i < addresses_.size(); ++i) {
    if (addresses_[i]) continue;
    numbers += (count++ == 0 ? " " : ", ") + std::to_string(i + 1);
  }
  return (count == 1 ? "node" : "nodes") + numbers;
}

}  // namespace wyvern::launcher
