#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include <wyvern/core/arena.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/segment.hpp>

/// Extents: pieces of the segment for payloads that do not fit into a ring's block. Invariant: an extent's
/// owner word changes by compare-and-swap only and names exactly one owner at any time: nobody (free, or
/// without memory), the process that fills or reads it, or the block that a message is in. So whoever dies at
/// any step leaves an owner word that tells the agent what to do; the bits of free extents are hints and
/// nothing else.
namespace wyvern {

enum class ExtentOwner : std::uint64_t { no_memory = 0, free = 1, process = 2, block = 3 };

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

/// An extent owned by this member's process, with room for `bytes`. Asks the agent when none is free.
/// Throws OutOfMemory, TooLarge, NodeLost. Any thread.
std::uint32_t take_extent(const Member& member, std::uint64_t bytes);
/// Moves an extent from one owner to another; false if `from` does not own it.
bool move_extent(const Segment& segment, std::uint32_t extent, ExtentOwner from, std::uint64_t from_who,
                 ExtentOwner to, std::uint64_t to_who);
/// Gives an extent back; false if `from` does not own it (any more).
bool free_extent(const Segment& segment, std::uint32_t extent, ExtentOwner from, std::uint64_t from_who);

/// The agent's side: makes extents, and returns the memory of free ones when it is needed for others.
class ExtentStore {
 public:
  ExtentStore(const Segment& segment, Arena& arena) : segment_(segment), arena_(arena) {}

  /// A new extent of the class, owned by `process`. OutOfMemory when even reclaiming free ones does not make
  /// room.
  std::uint32_t grow(std::uint32_t process, std::uint32_t size_class);
  /// Returns memory of free extents until `bytes` more may be committed, or none are left; true if there is
  /// room.
  bool reclaim(std::uint64_t bytes);
  /// Frees whatever a dead process was filling. `release_charged` does so with those that are charged to an
  /// object.
  void release_process(
      std::uint32_t process,
      const std::function<void(std::uint32_t extent, std::uint32_t object)>& release_charged);

 private:
  std::optional<std::uint32_t> claim_any(std::uint32_t process, std::uint32_t size_class);
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
