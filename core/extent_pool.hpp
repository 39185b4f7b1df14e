#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <wyvern/core/arena.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/segment.hpp>

/// Extents: pieces of the segment for payloads that do not fit into a ring's block. Invariant: an extent's
/// owner word changes by compare-and-swap only and names exactly one owner at any time: nobody (free, or
/// without memory), or the block that has it. A block names an extent before it claims it, so whoever dies at
/// any step leaves an owner word, and in the block that it owned a name, that tell the agent what to do; the
/// bits of free extents are hints and nothing else.
namespace wyvern {

enum class ExtentOwner : std::uint64_t { no_memory = 0, free = 1, block = 2 };

/// {generation:23, who:38, kind:3}. The generation grows with each change, so a late compare-and-swap fails.
class ExtentOwnerWord {
 public:
  constexpr explicit ExtentOwnerWord(std::uint64_t bits) : bits_(bits) {}
  constexpr ExtentOwner kind() const { return static_cast<ExtentOwner>(bits_ & 7); }
  constexpr std::uint64_t who() const { return (bits_ >> 3) & who_mask; }
  constexpr std::uint64_t bits() const { return bits_; }
  constexpr ExtentOwnerWord next(ExtentOwner kind, std::uint64_t who = 0) const {
    return ExtentOwnerWord((((bits_ >> 41) + 1) << 41) | (who << 3) | static_cast<std::uint64_t>(kind));
  }
  constexpr bool is(ExtentOwner kind, std::uint64_t who) const {
    return this->kind() == kind && this->who() == who;
  }

 private:
  static constexpr std::uint64_t who_mask = (std::uint64_t{1} << 38) - 1;
  std::uint64_t bits_;
};

/// A block's name as an owner: {directory index of the channel:20, block:18}.
constexpr std::uint64_t block_identity(std::uint32_t object, std::uint32_t block) {
  return (std::uint64_t{object} << 18) | block;
}

/// The smallest class whose extents hold that many bytes; nothing if no class does. Steps of 2 up to 16 KiB,
/// then four a doubling, so that at most a fifth of a large extent is unused.
std::optional<std::uint32_t> extent_class_for(std::uint64_t bytes);
std::uint64_t extent_class_bytes(std::uint32_t size_class);

/// Claims an extent with room for `bytes` for a block, which names it (+ 1) in `name` from before that on.
/// First among those that this thread freed last: they are warm, and their lines are here. Asks the agent
/// when none is free. Throws OutOfMemory, TooLarge, NodeLost; the block names none then. Any thread.
void claim_extent(const Member& member, std::uint64_t bytes, std::atomic<std::uint32_t>& name,
                  std::uint64_t block);
/// Frees a block's extent; false if the block does not own it (any more).
bool free_extent(const Segment& segment, std::uint32_t extent, std::uint64_t block);

/// The agent's side: makes extents, and returns the memory of free ones when it is needed for others.
class ExtentStore {
 public:
  ExtentStore(const Segment& segment, Arena& arena) : segment_(segment), arena_(arena) {}

  /// Makes an extent of the class, or finds one that is free though no hint says so. OutOfMemory when even
  /// reclaiming free ones does not make room.
  void grow(std::uint32_t size_class);
  /// An extent of the class for a block of the agent's own, like claim_extent. Throws OutOfMemory.
  void claim(std::uint32_t size_class, std::atomic<std::uint32_t>& name, std::uint64_t block);
  /// Returns memory of free extents until `bytes` more may be committed, or none are left; true if there is
  /// room.
  bool reclaim(std::uint64_t bytes);
  /// Mends the hints that a dead process took, or had not set yet.
  void mend_hints();

 private:
  bool hint_free_ones(std::uint32_t first, std::uint32_t count);
  bool release_memory(std::uint32_t first, std::uint32_t count);
  std::uint32_t find_without_memory(std::uint32_t size_class);
  void add_group(std::uint32_t size_class);

  const Segment& segment_;
  Arena& arena_;
  std::uint32_t groups_ = 0;
  std::atomic<std::uint32_t> descriptors_committed_ = 0;
  std::atomic<std::uint32_t> groups_committed_ = 0;
};

}  // namespace wyvern
