#pragma once

#include <cstdint>

#include <wyvern/core/object_reference.hpp>
#include <wyvern/core/segment.hpp>

/// An object lives while a process holds it. A hold is a bit of the directory entry's holder map. Invariant:
/// a hold is first set and then counted as a change of the entry's state word; the agent reads that word,
/// then all holds, and retires the object by a compare-and-swap from the word it read. So a hold that is
/// added, or moves from one process to another, while the agent looks, either makes its compare-and-swap fail
/// or sees that the object is retired.
namespace wyvern {

enum class ObjectPhase : std::uint64_t { free = 0, alive = 1, retired = 2 };

constexpr ObjectPhase object_phase(std::uint64_t state) { return static_cast<ObjectPhase>(state & 3); }
constexpr std::uint64_t one_object_change = 4;

/// Lets a process hold an object; false if the object has gone. The process must not hold it already by
/// another opening.
bool add_hold(const Segment& segment, const ObjectReference& object, std::uint32_t process);
void drop_hold(const Segment& segment, std::uint32_t object, std::uint32_t process);

bool has_hold(const DirectoryEntry& entry, std::uint32_t process);
bool has_any_hold(const DirectoryEntry& entry);

/// For the agent: retires an object that nobody holds, see above; false if somebody does, or it is not alive.
bool retire_object(DirectoryEntry& entry);

}  // namespace wyvern
