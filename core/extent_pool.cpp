#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include <wyvern/core/crash_point.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/extent_pool.hpp>

namespace wyvern {
namespace {

constexpr std::uint64_t smallest_extent = 512;
constexpr std::uint32_t doubling_classes = 6;  // 512 B to 16 KiB
constexpr std::uint64_t quarter_base = smallest_extent << (doubling_classes - 1);

bool change_owner(const Segment& segment, std::uint32_t extent, ExtentOwner from, std::uint64_t from_who,
                  ExtentOwner to, std::uint64_t to_who) {
  auto& owner = segment.extent(extent).owner;
  // Sequentially consistent: after the hint was cleared, see mark_maybe_free.
  std::uint64_t seen = owner.load(std::memory_order_seq_cst);
  return ExtentOwnerWord(seen).is(from, from_who) &&
         // Releases what was read or written in the extent to whoever owns it next, and acquires it.
         // Sequentially consistent: before the look at the hint when it is freed, see mark_maybe_free.
         owner.compare_exchange_strong(seen, ExtentOwnerWord(seen).next(to, to_who).bits(),
                                       std::memory_order_seq_cst, std::memory_order_relaxed);
}

/// The bit is written only if it is not set: who clears it looks at the owner afterwards, so one of the two
/// sees the other.
void mark_maybe_free(const Segment& segment, std::uint32_t extent) {
  auto& hints = segment.extent_group(extent / extents_in_group).maybe_free;
  const std::uint64_t bit = std::uint64_t{1} << (extent % extents_in_group);
  if ((hints.load(std::memory_order_seq_cst) & bit) == 0) hints.fetch_or(bit, std::memory_order_seq_cst);
}

/// What a thread freed last. A hint as well: whoever comes first may have claimed it meanwhile.
class RecentExtents {
 public:
  void add(const Segment& segment, std::uint32_t extent) {
    entries_[next_++ % entries_.size()] = {&segment, extent};
  }
  /// Calls `claim` with those of that class, the last one first, until it succeeds.
  template <class Claim>
  bool try_each(const Segment& segment, std::uint32_t size_class, Claim claim) {
    for (std::uint32_t back = 1; back <= entries_.size(); ++back) {
      Entry& entry = entries_[(next_ - back) % entries_.size()];
      // The class as the segment says it: another one may have come to be at the address of one that is gone.
      if (entry.segment == &segment && segment.extent(entry.extent).size_class == size_class &&
          claim(entry.extent)) {
        entry.segment = nullptr;
        return true;
      }
    }
    return false;
  }

 private:
  struct Entry {
    const Segment* segment = nullptr;
    std::uint32_t extent = 0;
  };
  std::array<Entry, 4> entries_;
  std::uint32_t next_ = 0;
};

constinit thread_local RecentExtents recent_extents;

/// How many extents, from this one on, get their memory together and give it back together. Small ones do so
/// by the group, which is whole pages; those of a page or more each by itself.
std::uint32_t run_length(std::uint32_t first, std::uint64_t extent_bytes) {
  return extent_bytes % page_size == 0 ? 1 : extents_in_group - first % extents_in_group;
}

/// Claims one free extent of a group that the hints name.
template <class Claim>
bool claim_in_group(const Segment& segment, std::uint32_t group, Claim claim) {
  auto& maybe_free = segment.extent_group(group).maybe_free;
  for (std::uint64_t bits = maybe_free.load(std::memory_order_acquire); bits != 0; bits &= bits - 1) {
    const std::uint64_t bit = bits & (~bits + 1);
    const std::uint32_t index = group * extents_in_group + static_cast<std::uint32_t>(std::countr_zero(bits));
    // The bit goes first: should we die now, the extent is free without a hint, which the agent mends.
    if ((maybe_free.fetch_and(~bit, std::memory_order_seq_cst) & bit) == 0) continue;
    CRASH_POINT("extent.unhinted");
    if (claim(index)) return true;
  }
  return false;
}

}  // namespace

std::optional<std::uint32_t> extent_class_for(std::uint64_t bytes) {
  if (bytes <= smallest_extent) return 0;
  if (bytes <= quarter_base) return static_cast<std::uint32_t>(std::bit_width((bytes - 1) / smallest_extent));
  // Within a doubling, (base, 2 * base], steps of a quarter of base.
  const auto doubling = static_cast<std::uint32_t>(std::bit_width((bytes - 1) / quarter_base)) - 1;
  const std::uint64_t base = quarter_base << doubling;
  const auto quarter = static_cast<std::uint32_t>((bytes - base - 1) / (base / 4));
  const std::uint32_t size_class = doubling_classes + 4 * doubling + quarter;
  if (size_class >= max_extent_classes) return std::nullopt;
  return size_class;
}

std::uint64_t extent_class_bytes(std::uint32_t size_class) {
  if (size_class < doubling_classes) return smallest_extent << size_class;
  const std::uint32_t step = size_class - doubling_classes;
  return (quarter_base << (step / 4)) / 4 * (5 + step % 4);
}

void claim_extent(const Member& member, std::uint64_t bytes, std::atomic<std::uint32_t>& name,
                  std::uint64_t block) {
  const Segment& segment = member.segment();
  const auto size_class = extent_class_for(bytes);
  if (!size_class || bytes > segment.header().memory_ceiling) {
    throw TooLarge("a payload of " + std::to_string(bytes) + " bytes can never fit: node " +
                   std::to_string(segment.header().node) + " may use " +
                   std::to_string(segment.header().memory_ceiling) + " bytes of shared memory in all");
  }
  const auto claim = [&](std::uint32_t extent) {
    // Sequentially consistent: a name is also the reservation that others sum up (channels/payload.hpp).
    name.store(extent + 1, std::memory_order_seq_cst);
    CRASH_POINT("extent.named");
    if (!change_owner(segment, extent, ExtentOwner::free, 0, ExtentOwner::block, block)) return false;
    CRASH_POINT("extent.claimed");
    return true;
  };
  if (recent_extents.try_each(segment, *size_class, claim)) return;
  while (true) {
    std::uint32_t group = segment.header().extent_classes[*size_class].load(std::memory_order_acquire);
    for (; group != 0; group = segment.extent_group(group - 1).next) {
      if (claim_in_group(segment, group - 1, claim)) return;
    }
    name.store(0, std::memory_order_seq_cst);
    member.agent().grow_extents(*size_class);
  }
}

bool free_extent(const Segment& segment, std::uint32_t extent, std::uint64_t block) {
  if (!change_owner(segment, extent, ExtentOwner::block, block, ExtentOwner::free, 0)) return false;
  CRASH_POINT("extent.freed");
  mark_maybe_free(segment, extent);
  recent_extents.add(segment, extent);
  return true;
}

void ExtentStore::grow(std::uint32_t size_class) {
  if (size_class >= max_extent_classes)
    throw InvalidArgument("there is no extent class " + std::to_string(size_class));
  // One may have been freed since the process looked, or be without a hint because a stopped process has
  // taken that.
  std::uint32_t group = segment_.header().extent_classes[size_class].load(std::memory_order_relaxed);
  for (; group != 0; group = segment_.extent_group(group - 1).next) {
    if (hint_free_ones((group - 1) * extents_in_group, extents_in_group)) return;
  }
  const std::uint64_t extent_bytes = extent_class_bytes(size_class);
  const std::uint32_t first = find_without_memory(size_class);
  const std::uint32_t count = run_length(first, extent_bytes);
  if (!arena_.has_room_for(count * extent_bytes)) reclaim(count * extent_bytes);
  const std::uint64_t offset = arena_.allocate(count * extent_bytes);
  for (std::uint32_t i = 0; i < count; ++i) {
    ExtentDescriptor& extent = segment_.extent(first + i);
    extent.offset = offset + i * extent_bytes;
    // Release: the offset is there for whoever sees the owner.
    const ExtentOwnerWord before(extent.owner.load(std::memory_order_relaxed));
    extent.owner.store(before.next(ExtentOwner::free).bits(), std::memory_order_seq_cst);
    mark_maybe_free(segment_, first + i);
  }
}

void ExtentStore::claim(std::uint32_t size_class, std::atomic<std::uint32_t>& name, std::uint64_t block) {
  while (true) {
    std::uint32_t group = segment_.header().extent_classes[size_class].load(std::memory_order_relaxed);
    for (; group != 0; group = segment_.extent_group(group - 1).next) {
      for (std::uint32_t index = (group - 1) * extents_in_group; index < group * extents_in_group; ++index) {
        if (!change_owner(segment_, index, ExtentOwner::free, 0, ExtentOwner::block, block)) continue;
        name.store(index + 1, std::memory_order_seq_cst);
        return;
      }
    }
    grow(size_class);
  }
}

/// Whether any of them is free; those are hinted afterwards.
bool ExtentStore::hint_free_ones(std::uint32_t first, std::uint32_t count) {
  bool any = false;
  for (std::uint32_t index = first; index < first + count; ++index) {
    if (ExtentOwnerWord(segment_.extent(index).owner.load(std::memory_order_seq_cst)).kind() !=
        ExtentOwner::free)
      continue;
    mark_maybe_free(segment_, index);
    any = true;
  }
  return any;
}

std::uint32_t ExtentStore::find_without_memory(std::uint32_t size_class) {
  while (true) {
    std::uint32_t group = segment_.header().extent_classes[size_class].load(std::memory_order_relaxed);
    for (; group != 0; group = segment_.extent_group(group - 1).next) {
      for (std::uint32_t i = 0; i < extents_in_group; ++i) {
        const std::uint32_t index = (group - 1) * extents_in_group + i;
        if (ExtentOwnerWord(segment_.extent(index).owner.load(std::memory_order_relaxed)).kind() ==
            ExtentOwner::no_memory)
          return index;
      }
    }
    add_group(size_class);
  }
}

void ExtentStore::add_group(std::uint32_t size_class) {
  SegmentHeader& header = segment_.header();
  reclaim(2 * page_size);  // what the two tables may grow by
  arena_.commit_table(header.extents_offset, sizeof(ExtentDescriptor), descriptors_committed_,
                      (groups_ + 1) * extents_in_group, max_extents);
  arena_.commit_table(header.extent_groups_offset, sizeof(ExtentGroup), groups_committed_, groups_ + 1,
                      max_extent_groups);
  ExtentGroup& group = segment_.extent_group(groups_);
  auto& first = header.extent_classes[size_class];
  group.size_class = size_class;
  // Once and for all: others read the class of extents that they do not own.
  for (std::uint32_t i = 0; i < extents_in_group; ++i) {
    segment_.extent(groups_ * extents_in_group + i).size_class = size_class;
  }
  group.next = first.load(std::memory_order_relaxed);
  first.store(++groups_, std::memory_order_release);  // the group is complete for who finds it
  header.groups_ready.store(groups_, std::memory_order_release);
}

bool ExtentStore::reclaim(std::uint64_t bytes) {
  std::uint32_t run = 1;
  for (std::uint32_t first = 0; first < groups_ * extents_in_group && !arena_.has_room_for(bytes);
       first += run) {
    run = run_length(first, extent_class_bytes(segment_.extent_group(first / extents_in_group).size_class));
    release_memory(first, run);
  }
  return arena_.has_room_for(bytes);
}

/// Returns the memory of extents that were committed together, if all of them are free.
bool ExtentStore::release_memory(std::uint32_t first, std::uint32_t count) {
  std::uint32_t claimed = 0;
  while (claimed < count &&
         change_owner(segment_, first + claimed, ExtentOwner::free, 0, ExtentOwner::no_memory, 0))
    ++claimed;
  if (claimed == count) {
    const ExtentDescriptor& extent = segment_.extent(first);
    arena_.release(extent.offset, count * extent_class_bytes(extent.size_class));
    return true;
  }
  while (claimed > 0) {
    --claimed;
    change_owner(segment_, first + claimed, ExtentOwner::no_memory, 0, ExtentOwner::free, 0);
    mark_maybe_free(segment_, first + claimed);
  }
  return false;
}

void ExtentStore::mend_hints() { hint_free_ones(0, groups_ * extents_in_group); }

}  // namespace wyvern
