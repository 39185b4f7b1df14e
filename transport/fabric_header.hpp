#pragma once

#include <cstddef>
#include <cstdint>

namespace wyvern {

inline constexpr std::uint32_t message_magic = 0x4D59'5701;  // version 1, "WYM"
inline constexpr std::uint32_t beat_magic = 0x4259'5701;     // version 1, "WYB": a header and nothing else

/// What stands before every message between endpoints. Little-endian.
struct MessageHeader {
  std::uint32_t magic;
  std::uint32_t receiver;  ///< lower half of the receiving endpoint's epoch
  std::uint64_t sender;    ///< the sending endpoint's epoch
};
static_assert(sizeof(MessageHeader) == 16 && offsetof(MessageHeader, sender) == 8);

}  // namespace wyvern
