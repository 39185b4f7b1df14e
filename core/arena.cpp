#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include <wyvern/core/arena.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/memory_limit.hpp>

namespace wyvern {
namespace {

constexpr std::uint64_t round_to_pages(std::uint64_t bytes) {
  return (bytes + page_size - 1) / page_size * page_size;
}

std::string mebibytes(std::uint64_t bytes) {
  const std::uint64_t whole = bytes >> 20;
  const std::uint64_t tenths = ((bytes & 0xfffff) * 10 + 0xfffff) >> 20;  // rounded up
  return std::to_string(whole + tenths / 10) + "." + std::to_string(tenths % 10) + " MiB";
}

/// A ceiling above what there is would not help: the kernel ends somebody, then.
std::string how_to_raise_ceiling(std::uint64_t committed, std::uint64_t wanted) {
  const std::string raise = "raise the ceiling with --memory or WYVERN_MEMORY";
  const MemoryLimit limit = memory_limit();
  const std::string there = limit.group.empty()
                                ? "the machine has " + mebibytes(limit.bytes)
                                : "control group " + limit.group + " allows " + mebibytes(limit.bytes);
  if (committed <= limit.bytes && wanted <= limit.bytes - committed) return raise + " (" + there + " in all)";
  return there + " in all: " +
         (limit.group.empty() ? "run it where there is more"
                              : "raise the limit of the control group first, then the ceiling with --memory "
                                "or WYVERN_MEMORY");
}

}  // namespace

Arena::Arena(const Segment& segment) : segment_(segment) {
  const std::uint64_t start = segment.header().arena_offset;
  free_.emplace(start, segment.reserve_bytes() - start);
}

void Arena::require_room_for(std::uint64_t bytes) const {
  if (has_room_for(bytes)) return;
  throw OutOfMemory(mebibytes(bytes) + " of shared memory wanted, but " + mebibytes(committed()) +
                    " of at most " + mebibytes(ceiling()) + " are in use on node " +
                    std::to_string(segment_.header().node) + "; " + how_to_raise_ceiling(committed(), bytes) +
                    ", or use fewer or smaller queues and messages");
}

void Arena::commit(std::uint64_t offset, std::uint64_t bytes) {
  require_room_for(bytes);
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
  require_room_for(bytes);
  const std::uint64_t size = round_to_pages(std::max<std::uint64_t>(bytes, 1));
  const auto range =
      std::find_if(free_.begin(), free_.end(), [size](const auto& entry) { return entry.second >= size; });
  if (range == free_.end()) {
    throw OutOfMemory(
        mebibytes(bytes) + " of shared memory wanted, more than node " +
        std::to_string(segment_.header().node) +
        " has addresses for in one piece; use fewer or smaller queues and messages, or raise the "
        "ceiling with --memory or WYVERN_MEMORY");
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
