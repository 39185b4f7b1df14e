#pragma once

#include <cstdint>
#include <string>

namespace wyvern::launcher {

/// Options that several commands have. Whoever throws InvalidArgument names the option.

/// Whether what --provider names can be asked for; that is known without loading libfabric. Whether this
/// machine has it is not. Throws InvalidArgument.
void check_provider(const std::string& name);

/// What an option says that counts nodes, or names one: 1 to `max_nodes`. Throws InvalidArgument.
std::uint32_t parse_node_number(const std::string& option, const std::string& text);

/// A JOB that was given is the number of one or the name of its program: none stands for all of them. Throws
/// InvalidArgument if it is empty.
void check_job_name(const std::string& job);

/// Bytes of shared memory, and who has said so.
struct MemoryCeiling {
  std::uint64_t bytes = 0;
  std::string origin;
};
/// What --memory says; if that is empty, what WYVERN_MEMORY says or the machine has. Throws InvalidArgument.
MemoryCeiling decide_memory(const std::string& option);

/// Of `wyvern info` and `wyvern doctor`: what would be run with.
struct Settings {
  std::string provider;
  std::string provider_origin;
  MemoryCeiling memory;
};

inline constexpr const char* from_command_line = "command line";
inline constexpr const char* from_default = "default";

}  // namespace wyvern::launcher
