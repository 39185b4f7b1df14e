#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <wyvern/core/puid.hpp>

namespace wyvern::test {

/// Who put a message, and which of its messages it is (from 0).
struct MessageId {
  Puid producer;
  std::uint64_t sequence = 0;

  friend constexpr auto operator<=>(MessageId, MessageId) = default;
};

/// A message of `bytes` bytes (at least sizeof(MessageId)) that says which it is; the rest is a pattern of
/// its own.
std::vector<std::byte> make_stamped(MessageId id, std::size_t bytes = sizeof(MessageId));
/// Which message this is. Throws std::runtime_error if a byte of the pattern is not what it was.
MessageId read_stamped(std::span<const std::byte> message);

}  // namespace wyvern::test
