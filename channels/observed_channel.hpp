#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <wyvern/core/observed_segment.hpp>
#include <wyvern/core/puid.hpp>

namespace wyvern {

/// What a channel looks like from outside at a moment. Threads that wait here for processes of other nodes
/// are the agent's.
struct ChannelFigures {
  ObjectId id;
  std::string name;  ///< empty: it has none
  std::string type_name;
  std::uint32_t capacity = 0;
  std::uint64_t depth = 0;            ///< messages in the ring
  std::uint64_t given_back = 0;       ///< messages that came back and will be delivered again, besides
  std::uint64_t leased = 0;           ///< messages under a lease
  std::uint64_t lost = 0;             ///< messages lost with who had got them, since it was made
  std::uint64_t puts = 0;             ///< into the ring, since it was made
  std::uint64_t gets = 0;             ///< out of the ring, since it was made
  std::uint32_t waiting_getters = 0;  ///< threads that sleep until there is a message
  std::uint32_t waiting_putters = 0;  ///< threads that sleep until there is room
  bool closed = false;
  std::uint32_t max_deliveries = 0;  ///< 0: no limit
  ObjectId dead_letters;             ///< the channel that gets what was delivered so often in vain
};

/// The channel of a directory entry; nothing if there is none, if it came or went while it was looked at, or
/// if what lies there cannot be one. `object` < segment.objects(). Allocates for the texts only.
std::optional<ChannelFigures> observe_channel(const ObservedSegment& segment, std::uint32_t object);

}  // namespace wyvern
