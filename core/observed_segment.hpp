#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include <wyvern/core/segment.hpp>

namespace wyvern {

/// A node's shared memory as seen by who is no member of the node: mapped read-only, so that looking at it
/// changes nothing that is there and costs those who work there no more than the lines that are read. (Only a
/// damaged header can lead to where no memory is yet; the kernel puts a page of zeros there, which nobody has
/// counted.) They go on meanwhile: every number is one of a moment, and
/// what belongs together may come from two. Nothing that is read is trusted: offsets lead nowhere but into
/// the mapping. Reading is safe from any thread.
class ObservedSegment {
 public:
  /// Maps a descriptor that may be open for reading only. VersionMismatch unless it is a segment of this
  /// layout that cannot shrink and whose tables are where they can be.
  ObservedSegment(FileDescriptor fd, std::uint64_t layout_hash);

  std::uint32_t node() const { return header().node; }
  std::uint32_t nodes() const { return header().nodes; }
  std::uint32_t job() const { return header().job; }
  std::uint32_t agent_pid() const { return header().agent_pid; }
  std::string agent_socket() const;
  std::uint64_t memory_ceiling() const { return header().memory_ceiling; }
  std::uint64_t committed_bytes() const {
    return header().committed_bytes.load(std::memory_order_relaxed);  // a number on its own
  }

  const ProcessEntry& process(std::uint32_t index) const {
    return table<ProcessEntry>(processes_offset_)[index % max_processes];
  }
  const ParkerCell& parker(std::uint32_t index) const {
    return table<ParkerCell>(parkers_offset_)[index % max_parkers];
  }
  /// Directory entries that are backed by memory.
  std::uint32_t objects() const;
  /// `index` < objects().
  const DirectoryEntry& object(std::uint32_t index) const {
    return table<DirectoryEntry>(directory_offset_)[index % max_objects];
  }

  /// What lies at an offset that was found in the memory; null unless `count` of them lie where objects do.
  template <class T>
  const T* find(std::uint64_t offset, std::uint64_t count = 1) const {
    return holds(offset, sizeof(T), count, alignof(T)) ? table<T>(offset) : nullptr;
  }

 private:
  const SegmentHeader& header() const { return segment_.header(); }
  template <class T>
  const T* table(std::uint64_t offset) const {
    return segment_.at<const T>(offset);
  }
  bool holds(std::uint64_t offset, std::uint64_t bytes, std::uint64_t count, std::uint64_t alignment) const;

  Segment segment_;
  // Read once and checked: what is in the memory may change.
  std::uint64_t processes_offset_;
  std::uint64_t parkers_offset_;
  std::uint64_t directory_offset_;
  std::uint64_t arena_offset_;
};

}  // namespace wyvern
