#pragma once

#include <cstdint>

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

}  // namespace wyvern
