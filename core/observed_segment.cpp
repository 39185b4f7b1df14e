#include <fcntl.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/core/observed_segment.hpp>

namespace wyvern {
namespace {

/// Reading what was cut off would be a SIGBUS.
FileDescriptor sealed(FileDescriptor fd) {
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0)
    throw VersionMismatch("this is not the segment of a wyvern node: it may shrink while it is read");
  return fd;
}

std::uint64_t checked(const Segment& segment, std::uint64_t offset, std::uint64_t bytes) {
  if (offset % page_size != 0 || offset < sizeof(SegmentHeader) || offset > segment.reserve_bytes() ||
      bytes > segment.reserve_bytes() - offset) {
    throw VersionMismatch("the node's segment is damaged: its header names a table that is not inside of it");
  }
  return offset;
}

}  // namespace

ObservedSegment::ObservedSegment(FileDescriptor fd, std::uint64_t layout_hash)
    : segment_(Segment::attach_to_read(sealed(std::move(fd)), layout_hash)),
      processes_offset_(
          checked(segment_, header().processes_offset, sizeof(ProcessEntry) * std::uint64_t{max_processes})),
      parkers_offset_(
          checked(segment_, header().parkers_offset, sizeof(ParkerCell) * std::uint64_t{max_parkers})),
      directory_offset_(
          checked(segment_, header().directory_offset, sizeof(DirectoryEntry) * std::uint64_t{max_objects})),
      arena_offset_(checked(segment_, header().arena_offset, 0)) {}

std::string ObservedSegment::agent_socket() const {
  const char* const name = header().agent_socket;
  return {name, ::strnlen(name, agent_socket_bytes)};
}

std::uint32_t ObservedSegment::objects() const {
  // Acquire: pairs with the agent's release once the entries are backed.
  return std::min(header().objects_ready.load(std::memory_order_acquire), max_objects);
}

bool ObservedSegment::holds(std::uint64_t offset, std::uint64_t bytes, std::uint64_t count,
                            std::uint64_t alignment) const {
  return offset % alignment == 0 && offset >= arena_offset_ && offset <= segment_.reserve_bytes() &&
         count <= (segment_.reserve_bytes() - offset) / bytes;
}

}  // namespace wyvern
