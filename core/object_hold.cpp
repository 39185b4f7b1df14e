#include <wyvern/core/crash_point.hpp>
#include <wyvern/core/object_hold.hpp>

namespace wyvern {
namespace {

constexpr std::uint64_t holder_bit(std::uint32_t process) { return std::uint64_t{1} << (process % 64); }

}  // namespace

bool add_hold(const Segment& segment, const ObjectReference& object, std::uint32_t process) {
  if (object.index >= segment.header().objects_ready.load(std::memory_order_acquire)) return false;
  DirectoryEntry& entry = segment.object(object.index);
  if (!object.id || entry.id.load(std::memory_order_acquire) != object.id.value()) return false;
  auto& word = entry.holders[process / 64];
  // Sequentially consistent, all of it: the agent's look at state, holds, state is ordered against ours.
  word.fetch_or(holder_bit(process), std::memory_order_seq_cst);
  CRASH_POINT("hold.set");
  const std::uint64_t before = entry.state.fetch_add(one_object_change, std::memory_order_seq_cst);
  // The entry of another object by now: it keeps our bit until this process ends, as it may hold that one
  // rightly.
  if (entry.id.load(std::memory_order_acquire) != object.id.value()) return false;
  if (object_phase(before) == ObjectPhase::alive) return true;
  word.fetch_and(~holder_bit(process), std::memory_order_seq_cst);
  return false;
}

void drop_hold(const Segment& segment, std::uint32_t object, std::uint32_t process) {
  segment.object(object).holders[process / 64].fetch_and(~holder_bit(process), std::memory_order_seq_cst);
}

bool has_hold(const DirectoryEntry& entry, std::uint32_t process) {
  return (entry.holders[process / 64].load(std::memory_order_seq_cst) & holder_bit(process)) != 0;
}

bool has_other_hold(const DirectoryEntry& entry, std::uint32_t process) {
  for (std::uint32_t i = 0; i < std::size(entry.holders); ++i) {
    const std::uint64_t own = i == process / 64 ? holder_bit(process) : 0;
    if ((entry.holders[i].load(std::memory_order_seq_cst) & ~own) != 0) return true;
  }
  return false;
}

bool has_any_hold(const DirectoryEntry& entry) {
  for (const auto& word : entry.holders) {
    if (word.load(std::memory_order_seq_cst) != 0) return true;
  }
  return false;
}

}  // namespace wyvern
