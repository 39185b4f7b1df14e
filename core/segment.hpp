#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/core/segment_layout.hpp>

namespace wyvern {

struct SegmentOptions {
  std::uint32_t system = 0;
  std::uint32_t node = 1;
  std::uint32_t nodes = 1;  ///< of the job
  /// For who looks at the node from outside: as in SegmentHeader.
  std::uint32_t job = 0;
  std::string agent_socket = {};
  /// Bytes that may be committed; see memory_limit.hpp for the default.
  std::uint64_t memory_ceiling = std::uint64_t{1} << 30;
  std::uint32_t usable_cores = 1;
  /// Over all shared structs, those of the upper layers included.
  std::uint64_t layout_hash = core_layout_hash;
};

/// A node's shared memory, mapped into this process: a sealed memfd without a name in any file system. A
/// range of addresses is reserved once; memory behind it is committed in steps by the agent alone (see
/// Arena). Movable; the mapping ends with the object. Reading the tables is safe from any thread.
class Segment {
 public:
  /// Makes a segment; for the agent. Throws OutOfMemory.
  static Segment create(const SegmentOptions& options);
  /// Maps a segment that was made elsewhere. VersionMismatch unless magic, version and hash are exactly ours.
  static Segment attach(FileDescriptor fd, std::uint64_t layout_hash);
  /// The same for reading alone: what writes to it is killed by the kernel. See ObservedSegment.
  static Segment attach_to_read(FileDescriptor fd, std::uint64_t layout_hash);

  Segment(Segment&& other) noexcept;
  Segment& operator=(Segment&&) = delete;
  ~Segment();

  int fd() const { return fd_.get(); }
  SegmentHeader& header() const { return *reinterpret_cast<SegmentHeader*>(base_); }
  std::byte* at(std::uint64_t offset) const { return base_ + offset; }
  template <class T>
  T* at(std::uint64_t offset) const {
    return reinterpret_cast<T*>(base_ + offset);
  }
  std::uint64_t reserve_bytes() const { return bytes_; }

  ProcessEntry& process(std::uint32_t index) const {
    return at<ProcessEntry>(header().processes_offset)[index];
  }
  ParkerCell& parker(std::uint32_t index) const { return at<ParkerCell>(header().parkers_offset)[index]; }
  std::atomic<std::uint64_t>& exit_record(std::uint32_t sequence) const {
    return at<std::atomic<std::uint64_t>>(header().exit_records_offset)[sequence];
  }
  DirectoryEntry& object(std::uint32_t index) const {
    return at<DirectoryEntry>(header().directory_offset)[index];
  }
  ExtentGroup& extent_group(std::uint32_t index) const {
    return at<ExtentGroup>(header().extent_groups_offset)[index];
  }
  ExtentDescriptor& extent(std::uint32_t index) const {
    return at<ExtentDescriptor>(header().extents_offset)[index];
  }

 private:
  Segment(FileDescriptor fd, std::byte* base, std::size_t bytes);
  static Segment attach(FileDescriptor fd, std::uint64_t layout_hash, int protection);

  FileDescriptor fd_;
  std::byte* base_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace wyvern
