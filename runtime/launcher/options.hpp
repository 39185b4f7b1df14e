#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wyvern::launcher {

/// Nodes on one machine, at most: they are there to develop and test with, each takes an agent, a segment and
/// an endpoint, and this many is what large clusters are tried with.
inline constexpr std::uint32_t max_nodes = 64;

/// Of `wyvern run`.
struct RunOptions {
  std::uint32_t nodes = 1;           ///< on this machine; 1 to `max_nodes`
  std::string provider = "tcp";      ///< by which nodes reach each other, as in ProviderTraits::request
  std::uint64_t memory_ceiling = 0;  ///< bytes of shared memory that all nodes together may use
  bool label = false;                ///< put the puid before every line of output
  std::vector<std::string> program;  ///< and its arguments
};

/// What the command line asks for: to run something, or to exit with a status after what there was to say was
/// said.
struct Parsed {
  std::optional<RunOptions> run;
  int status = 0;
};

/// Exit status for a wrong use of the command.
inline constexpr int usage_status = 2;

Parsed parse_command_line(int argc, const char* const* argv);

}  // namespace wyvern::launcher
