#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include <wyvern/core/puid.hpp>

namespace wyvern {

/// How a handle to a shared object (a queue) is written into a message: the object, and its place in the
/// directory of the object's home node. Whoever sends the message lists these, so that the object lives while
/// the message is on its way.
struct ObjectReference {
  ObjectId id;
  std::uint32_t index = 0;

  friend constexpr bool operator==(ObjectReference, ObjectReference) = default;
};

/// Whether any of them is of another node than that.
inline bool any_elsewhere(std::span<const ObjectReference> references, std::uint32_t node) {
  return std::ranges::any_of(
      references, [node](const ObjectReference& reference) { return reference.id.node() != node; });
}

}  // namespace wyvern
