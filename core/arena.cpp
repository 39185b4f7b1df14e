#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include <wyvern/core/arena.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern {
namespace {

constexpr std::uint64_t round_to_pages(std::uint64_t bytes) {
  return (bytes + page_size - 1) / page_size * page_size;
}

std::string mebibytes(std::uint64_t bytes) {
  const std::uint64_t tenths = (bytes * 10 + (1U << 20) - 1) >> 20;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " MiB";
}

}  // namespace

Arena::Arena(const Segment& segment) : segment_(segment) {
  const std::uint64_t start = segment.header().arena_offset;
  free_.emplace(start, segment.reserve_bytes() - start);
}

void Arena::commit(std::uint64_t offset, std::uint64_t bytes) {
  if (!has_room_for(bytes)) {
    throw OutOfMemory(
        mebibytes(bytes) + " of shared memory wanted, but " + mebibytes(committed()) + " of at most " +
        mebibytes(ceiling()) + " are in use on node " + std::to_string(segment_.header().node) +
        "; raise the ceiling with --memory or WYVERN_MEMORY, or use fewer or smaller queues and messages");
  }
  int result = 0;
  do {
    result = ::fallocate(segment_.fd(), 0, static_cast<off_t>(offset), static_cast<off_t>(bytes));
  } while (result != 0 && errno == EINTR);
  if (result != 0) {
    const int reason = errno;
    // A part may have been committed before the kernel gave up; it must not stay.
    ::fallocate(segment_.fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                static_cast<off_t>(bytes));
    throw OutOfMemory(describe_errno("committing " + mebibytes(bytes) + " of shared memory", reason));
  }
  segment_.header().committed_bytes.store(committed() + bytes, std::memory_order_relaxed);
}

std::uint64_t Arena::allocate(std::uint64_t bytes) {
  const std::uint64_t size = round_to_pages(std::max<std::uint64_t>(bytes, 1));
  const auto range =
      std::find_if(free_.begin(), free_.end(), [size](const auto& entry) { return entry.second >= size; });
  if (size < bytes || range == free_.end()) {
    throw OutOfMemory(mebibytes(bytes) + " of shared memory wanted, more than node " +
                      std::to_string(segment_.header().node) + " has addresses for in one piece");
  }
  const auto [offset, room] = *range;
  commit(offset, size);
  free_.erase(range);
  if (room > size) free_.emplace(offset + size, room - size);
  return offset;
}

void Arena::release(std::uint64_t offset, std::uint64_t bytes) {
  std::uint64_t size = round_to_pages(std::max<std::uint64_t>(bytes, 1));
  ::fallocate(segment_.fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
              static_cast<off_t>(size));
  segment_.header().committed_bytes.store(committed() - size, std::memory_order_relaxed);
  auto next = free_.lower_bound(offset);
  if (next != free_.end() && offset + size == next->first) {
    size += next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == offset) {
      before->second += size;
      return;
    }
  }
  free_.emplace_hint(next, offset, size);
}

void Arena::commit_table(std::uint64_t table_offset, std::uint64_t entry_bytes,
                         std::atomic<std::uint32_t>& ready, std::uint32_t count, std::uint32_t limit) {
  const std::uint32_t done = ready.load(std::memory_order_relaxed);
  if (count <= done) return;
  if (count > limit)
    throw OutOfMemory("a table of node " + std::to_string(segment_.header().node) + " is full: at most " +
                      std::to_string(limit) + " entries");
  const std::uint64_t from = round_to_pages(done * entry_bytes);
  const std::uint64_t to = round_to_pages(count * entry_bytes);
  if (to > from) commit(table_offset + from, to - from);
  const std::uint64_t entries = std::min<std::uint64_t>(to / entry_bytes, limit);
  ready.store(static_cast<std::uint32_t>(entries),
              std::memory_order_release);  // readers may touch them from now on
}

}  // namespace wyvern
