#pragma once

#include <cstdint>
#include <string>

namespace wyvern::launcher {

/// Options that several commands have. Both throw InvalidArgument, which names the option.

/// What --provider names. Whether it can be asked for is known without loading libfabric; whether this
/// machine has it is not.
void check_provider(const std::string& name);
/// Bytes, for what --memory says; empty: nothing, so that WYVERN_MEMORY or the machine decides.
std::uint64_t parse_memory_option(const std::string& text);

}  // namespace wyvern::launcher
