#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wyvern::launcher {

/// Nodes on one machine, at most: they are there to develop and test with, each takes an agent, a segment and
/// an endpoint, and this many is what large clusters are tried with.
inline constexpr std::uint32_t max_nodes = 64;

/// By which nodes reach each other, unless the user names another.
inline constexpr const char* default_provider = "tcp";

/// Of `wyvern run`.
struct RunOptions {
  std::uint32_t nodes = 1;                  ///< on this machine; 1 to `max_nodes`
  std::string provider = default_provider;  ///< as in ProviderTraits::request
  std::uint64_t memory_ceiling = 0;         ///< bytes of shared memory that all nodes together may use
  bool label = false;                       ///< put the puid before every line of output
  std::optional<std::chrono::milliseconds> timeout;  ///< from when all nodes are ready; then it is ended
  std::vector<std::string> program;                  ///< and its arguments
};

}  // namespace wyvern::launcher
