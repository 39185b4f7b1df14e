#pragma once

#include <cstdint>

#include <wyvern/core/object_reference.hpp>
#include <wyvern/core/segment.hpp>

/// An object lives while a process holds it or a message that is not read yet names it. A hold is a bit of
/// the directory entry's holder map. Invariant: a hold is first set and then counted as a change of the
/// entry's state word; the agent reads that word, then all holds, then what names the object, and retires it
/// by a compare-and-swap from the word it read. So a hold that is added, or moves from one process to
/// another, while the agent looks, either makes its compare-and-swap fail or sees that the object is retired.
/// And a handle in a message: its sender holds the object until the message is in the ring, its receiver
/// holds the object before the message ceases to name it; the agent looks at holders before messages, so a
/// handle that moves on from a sender is seen in the message, and one that moves on to a receiver has changed
/// the state word.
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
/// Of another process than that one.
bool has_other_hold(const DirectoryEntry& entry, std::uint32_t process);

/// For the agent: retires an object that nobody holds and nothing names, see above; false if it is held or
/// named, or not alive. `is_named` is asked when nobody holds it.
template <class IsNamed>
bool retire_object(DirectoryEntry& entry, IsNamed is_named) {
  std::uint64_t seen = entry.state.load(std::memory_order_seq_cst);
  if (object_phase(seen) != ObjectPhase::alive || has_any_hold(entry) || is_named()) return false;
  const std::uint64_t retired =
      (seen & ~std::uint64_t{3}) + one_object_change + static_cast<std::uint64_t>(ObjectPhase::retired);
  return entry.state.compare_exchange_strong(seen, retired, std::memory_order_seq_cst);
}

}  // namespace wyvern
