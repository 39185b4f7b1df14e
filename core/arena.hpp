#pragma once

#include <cstdint>
#include <map>

#include <wyvern/core/segment.hpp>

namespace wyvern {

/// Commits and returns the memory of a segment, for the agent alone. The ceiling is checked before the kernel
/// is asked, so running out is OutOfMemory at the call that wants more, never a SIGBUS or the OOM killer
/// later. Not thread safe. The segment must outlive it.
class Arena {
 public:
  explicit Arena(const Segment& segment);

  /// Page-aligned, zeroed, committed memory; its offset. OutOfMemory leaves everything as it was.
  std::uint64_t allocate(std::uint64_t bytes);
  /// Returns what `allocate` gave, or a page-aligned part of it, to the kernel.
  void release(std::uint64_t offset, std::uint64_t bytes);
  /// Makes sure that the entries of a table up to `count` are backed by memory; `ready` says how many are.
  void commit_table(std::uint64_t table_offset, std::uint64_t entry_bytes, std::atomic<std::uint32_t>& ready,
                    std::uint32_t count, std::uint32_t limit);

  std::uint64_t committed() const {
    return segment_.header().committed_bytes.load(std::memory_order_relaxed);
  }
  std::uint64_t ceiling() const { return segment_.header().memory_ceiling; }
  bool has_room_for(std::uint64_t bytes) const {
    return bytes <= ceiling() && committed() <= ceiling() - bytes;
  }

 private:
  void require_room_for(std::uint64_t bytes) const;
  void commit(std::uint64_t offset, std::uint64_t bytes);

  const Segment& segment_;
  std::map<std::uint64_t, std::uint64_t> free_;  // offset -> bytes; neighbours are always joined
};

}  // namespace wyvern
