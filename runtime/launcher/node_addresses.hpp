#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wyvern::launcher {

/// Where the nodes of a job are reached, as far as they have said it. Nodes count from 1.
class NodeAddresses {
 public:
  explicit NodeAddresses(std::uint32_t count) : addresses_(count) {}

  void add(std::uint32_t node, std::vector<std::byte> address);
  bool are_complete() const;
  /// Complete ones, node 1's first.
  std::vector<std::vector<std::byte>> all() const;
  /// Who has not said it: "node 3", or "nodes 2, 3".
  std::string missing() const;

 private:
  std::vector<std::optional<std::vector<std::byte>>> addresses_;
};

}  // namespace wyvern::launcher
