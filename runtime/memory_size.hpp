#pragma once

#include <cstdint>
#include <string_view>

namespace wyvern {

/// A number of bytes as people write it: "64M", "1.5G", "1073741824"; K, M, G, T are powers of 1024, and may
/// be followed by B or iB. Throws InvalidArgument, which says what was expected.
std::uint64_t parse_memory_size(std::string_view text);

/// Bytes of shared memory that a node may use: what WYVERN_MEMORY says, or a share of the machine's. Throws
/// InvalidArgument.
std::uint64_t memory_ceiling_from_environment();

}  // namespace wyvern
