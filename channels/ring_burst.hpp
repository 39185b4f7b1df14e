#pragma once

#include <algorithm>
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
  class Run;

  /// Looks up at most `wanted` places that hold a message (a free block) in a row from the front on. None is
  /// an answer, too.
  void look(const RingView& view, const BorrowedPort& port, std::uint32_t wanted);
  bool is_over() const { return next_ == end_; }
  void end() { end_ = next_; }
  /// The operations from here on; the burst and its port are left alone until `keep` says how far they got.
  Run run(const RingView& view) const { return is_over() ? Run(&ahead_[0] + next_) : Run(*this, view); }
  /// How many operations that were; none for a run that was made without a burst.
  [[gnu::always_inline]] std::uint32_t keep(const Run& run) {
    if (run.next_ == nullptr) return 0;
    const auto done = static_cast<std::uint32_t>(run.next_ - &ahead_[0]) - next_;
    next_ += done;
    return done;
  }

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

  /// Where the hint is due again, after `done` places.
  const Ahead* next_stop(std::uint32_t done) const {
    return &ahead_[0] + std::min(end_, (done / operations_per_hint + 1) * operations_per_hint);
  }
  /// Stores the hint, all places before `next` being done; where it is due again.
  const Ahead* store_hint(const RingView& view, const Ahead* next) const;

  std::uint32_t next_ = 0;
  std::uint32_t end_ = 0;
  Position begin_{0};  // of ahead_[0]
  BorrowedPort port_;
  std::array<Ahead, longest_burst> ahead_;
};

/// Operations of a burst. To be a variable whose address nobody gets: then what changes with each operation
/// is in registers, which the burst's own members could not be.
template <IntentKind kind>
class Burst<kind>::Run {
 public:
  Run() = default;
  /// No more of them: it is the burst's end, somebody was faster, or `end` was called.
  bool is_over() const { return next_ == stop_; }
  void end() { stop_ = next_; }
  /// The block that the port holds: to be filled for a put, received by the last get. Not before `look`.
  BlockHeader& block() const { return *block_; }
  /// The operation, as put and take in ring_operations.hpp, at the next place. False: the place is not any
  /// more what it was, nothing has changed, and the burst is over.
  bool operate(const Burst& burst, const RingView& view);

 private:
  friend class Burst;
  explicit Run(const Ahead* end) : next_(end), stop_(end) {}
  Run(const Burst& burst, const RingView& view)
      : next_(&burst.ahead_[0] + burst.next_),
        stop_(burst.next_stop(burst.next_)),
        port_(burst.port_),
        block_(&view.block(port_.spare().block())),
        spare_(port_.spare()),
        intent_(kind, burst.begin_.ticket(view.capacity()) + burst.next_, 0) {}

  const Ahead* next_ = nullptr;
  const Ahead* stop_ = nullptr;  // where the hint is due, or nothing is left
  BorrowedPort port_;
  BlockHeader* block_ = nullptr;
  SpareWord spare_{0};    // which nobody but the borrower changes
  IntentWord intent_{0};  // of the next operation, without the block
};

template <IntentKind kind>
[[gnu::always_inline]] inline bool Burst<kind>::Run::operate(const Burst& burst, const RingView& view) {
  CRASH_POINT(puts ? "put.begin" : "take.begin");
  const Ahead& ahead = *next_;
  const detail::Place place{intent_, *ahead.slot, SlotWord(ahead.word), *ahead.block};
  // Invariant 1: the slot is read again after that block became the spare. Had it changed before, the block
  // that was in it could be our spare by now, and an intent for one's own spare says "done". Acquires what
  // the block's last user did with it.
  if (place.slot.load(std::memory_order_acquire) != ahead.word) [[unlikely]] {
    end();
    return false;
  }
  const SlotWord offered = puts ? SlotWord(place.word.lap(), SlotState::full, spare_.block())
                                : SlotWord(place.word.lap() + 1, SlotState::empty, spare_.block());
  if (!detail::swap(port_, kind, place, offered, spare_)) [[unlikely]] {
    end();
    detail::give_up(port_, true, RingOutcome::done);
    return false;
  }
  spare_ = spare_.after(kind, place.word.block());
  block_ = &place.block;
  intent_ = intent_.next();
  ++next_;
  if (next_ == stop_) stop_ = burst.store_hint(view, next_);
  return true;
}

using PutBurst = Burst<IntentKind::put>;
using TakeBurst = Burst<IntentKind::get>;
extern template class Burst<IntentKind::put>;
extern template class Burst<IntentKind::get>;

}  // namespace wyvern::ring
