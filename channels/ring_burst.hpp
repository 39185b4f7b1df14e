#pragma once

#include <array>
#include <cstdint>

#include <wyvern/channels/ring_operations.hpp>

namespace wyvern::ring {

/// As many as a core can wait for at a time.
inline constexpr std::uint32_t longest_burst = 32;

/// The next places of a ring, looked up and fetched together for the operations of one batch: the lines
/// arrive side by side instead of one after another, and each operation finds its slot and block worked out.
/// Nothing is reserved by it: whoever is first at a place has it, and the burst is over for the others. For
/// one thread, which uses the port for nothing else until the burst is over.
template <IntentKind kind>
class Burst {
  static_assert(kind == IntentKind::put || kind == IntentKind::get);

 public:
  /// Looks up at most `wanted` places that hold a message (a free block) in a row from the front on. None is
  /// an answer, too.
  void look(const RingView& view, const BorrowedPort& port, std::uint32_t wanted);
  bool is_over() const { return next_ == end_; }
  void end() { end_ = next_; }

  /// The block that the port holds: to be filled for a put, received by the last get.
  BlockHeader& block() const { return *block_; }
  /// The operation, as put and take in ring_operations.hpp, at the next place. False: the place is not any
  /// more what it was, nothing has changed, and the burst is over.
  bool operate(const RingView& view);

 private:
  static constexpr bool puts = kind == IntentKind::put;
  /// A place without its position.
  struct Ahead {
    std::atomic<std::uint64_t>* slot;
    BlockHeader* block;
    std::uint64_t word;
  };
  /// The other side looks at the hint to see how much there is for it: not at every single step. Who is on
  /// our side walks over as many slots at most.
  static constexpr std::uint32_t operations_per_hint = 8;

  std::uint32_t next_ = 0;
  std::uint32_t end_ = 0;
  Position begin_{0};  // of ahead_[0], and its ticket
  std::uint64_t first_ticket_ = 0;
  BorrowedPort port_;
  BlockHeader* block_ = nullptr;
  std::array<Ahead, longest_burst> ahead_;
};

template <IntentKind kind>
[[gnu::always_inline]] inline bool Burst<kind>::operate(const RingView& view) {
  const SpareWord spare = port_.spare();
  CRASH_POINT(puts ? "put.begin" : "take.begin");
  const Ahead& ahead = ahead_[next_];
  const detail::Place place{first_ticket_ + next_, *ahead.slot, SlotWord(ahead.word), *ahead.block};
  // Invariant 1: the slot is read again after that block became the spare. Had it changed before, the block
  // that was in it could be our spare by now, and an intent for one's own spare says "done". Acquires what
  // the block's last user did with it.
  if (place.slot.load(std::memory_order_acquire) != ahead.word) {
    end();
    return false;
  }
  const SlotWord offered = puts ? SlotWord(place.word.lap(), SlotState::full, spare.block())
                                : SlotWord(place.word.lap() + 1, SlotState::empty, spare.block());
  if (!detail::swap(port_, kind, place, offered, spare)) {
    end();
    detail::give_up(port_, true, RingOutcome::done);
    return false;
  }
  block_ = &place.block;
  ++next_;
  if (next_ == end_ || next_ % operations_per_hint == 0)
    detail::move_hint(puts ? view.header().tail : view.header().head, begin_.after(next_, view.capacity()));
  return true;
}

using PutBurst = Burst<IntentKind::put>;
using TakeBurst = Burst<IntentKind::get>;
extern template class Burst<IntentKind::put>;
extern template class Burst<IntentKind::get>;

}  // namespace wyvern::ring
