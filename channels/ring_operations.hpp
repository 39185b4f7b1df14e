#pragma once

#include <cassert>

#include <wyvern/channels/ring.hpp>
#include <wyvern/core/crash_point.hpp>
#include <wyvern/core/prefetch.hpp>

/// The ring's two operations, in a header because they are the hot path: a few dozen instructions that are to
/// be compiled into what calls them. Who may call, and what
/// holds for both: ring.hpp.
namespace wyvern::ring {

namespace detail {

/// Where an operation happens: its intent without the block, the slot, what was seen in it, and the block
/// that is to be received.
struct Place {
  IntentWord intent;
  std::atomic<std::uint64_t>& slot;
  SlotWord word;
  BlockHeader& block;
};

/// The swap of one operation with its bookkeeping; false if somebody else was first. The order of the stores
/// is what recovery is built on: intent, swap, tag, spare; a killed process leaves a prefix of it
/// (docs/swap_ring.md, invariant 3). The intent stays: once the spare is the block it names, it says what was
/// done last.
[[gnu::always_inline]] inline bool swap(const BorrowedPort& port, IntentKind kind, const Place& place,
                                        SlotWord offered, SpareWord spare) {
  // Release: the spare and tag stored by the operation before come first for the agent that reads this
  // intent.
  port.port->intent.store(place.intent.with_block(place.word.block()).bits(), std::memory_order_release);
  CRASH_POINT(kind == IntentKind::put ? "put.intended" : "take.intended");
  std::uint64_t expected = place.word.bits();
  // Sequentially consistent: releases the message (or the free block), acquires the received block, puts the
  // intent before the swap for the agent, and stands before the look for sleepers that follows (WaiterSet).
  if (!place.slot.compare_exchange_strong(expected, offered.bits(), std::memory_order_seq_cst,
                                          std::memory_order_relaxed))
    return false;
  CRASH_POINT(kind == IntentKind::put ? "put.swapped" : "take.swapped");
  place.block.tag.store(port.number, std::memory_order_release);
  CRASH_POINT(kind == IntentKind::put ? "put.tagged" : "take.tagged");
  port.port->spare.store(spare.after(kind, place.word.block()).bits(), std::memory_order_release);
  CRASH_POINT(kind == IntentKind::put ? "put.spared" : "take.spared");
  return true;
}

/// An operation that leaves without having done anything takes back what it intended: an intent for a block
/// that is not the spare means "in flight" to everybody else.
inline RingOutcome give_up(const BorrowedPort& port, bool intended, RingOutcome outcome) {
  if (intended) port.port->intent.store(0, std::memory_order_release);
  return outcome;
}

/// The first place that is not over for one side, what its slot held, and whether that slot has reached the
/// place's lap (if not, the message of the lap before is still in it).
struct Front {
  Position at;
  SlotWord word;
  bool lap_reached;
};

/// Where a slot that was found at a lap at or after the hint's sends who is behind: the ticket before that
/// lap's is over for everybody; that lap's own is over for a putter alone, and only if the slot is FULL.
/// Jumping further would skip an EMPTY slot, and a message put there later would be lost behind it.
inline Position after_what_is_over(const RingView& view, Position at, std::uint64_t slot_lap,
                                   bool own_is_over) {
  return Position(own_is_over ? slot_lap : slot_lap - 1, at.index()).next(view.capacity());
}

/// From a place on, the first one that is not over for one side.
inline Front search_front(const RingView& view, Position at, bool putter) {
  while (true) {
    // Acquires what the block's last user did with it. Sequentially consistent for the re-check before
    // sleeping.
    const SlotWord word(view.slot(at.index()).load(std::memory_order_seq_cst));
    const std::int64_t laps_ahead = difference_modulo_ticket(word.lap(), at.lap());
    const bool own_is_over = putter && laps_ahead >= 0 && word.state() == SlotState::full;
    if (laps_ahead <= 0 && !own_is_over) return {at, word, laps_ahead == 0};
    at = after_what_is_over(view, at, at.lap() + static_cast<std::uint64_t>(laps_ahead), own_is_over);
  }
}

/// Hints are lower bounds that anybody stores when he has seen further, also one who was stopped for long and
/// throws them back: whoever finds himself behind jumps forward by what the slot says. Nearly always the hint
/// is right, which one comparison tells.
[[gnu::always_inline]] inline Front find_front(const RingView& view, const std::atomic<std::uint64_t>& hint,
                                               bool putter) {
  const Position at(hint.load(std::memory_order_acquire));  // not before the slot it leads to
  const SlotWord word(view.slot(at.index()).load(std::memory_order_seq_cst));  // as in search_front
  if (word.is(at.lap(), putter ? SlotState::empty : SlotState::full)) [[likely]]
    return {at, word, true};
  return search_front(view, at, putter);
}

inline Front find_tail(const RingView& view) { return find_front(view, view.header().tail, true); }
inline Front find_head(const RingView& view) { return find_front(view, view.header().head, false); }

inline Place place_of(const RingView& view, IntentKind kind, const Front& front) {
  return {IntentWord(kind, front.at.ticket(view.capacity()), 0), view.slot(front.at.index()), front.word,
          view.block(front.word.block())};
}

/// Fetches the message in a block that is about to be taken.
inline void expect_message(BlockHeader& block) {
  prefetch_to_write(&block);
  prefetch_to_read(RingView::inline_payload(block));
}

/// Release: who reads the hint must not find its slot as it was before the lap that the hint says has been
/// reached.
inline void move_hint(std::atomic<std::uint64_t>& hint, Position to) {
  hint.store(to.bits(), std::memory_order_release);
}

}  // namespace detail

/// Puts the message in the port's spare block. done: the port's spare is another, free block now. full,
/// closed: nothing has changed. `closed` is for a CLOSED slot only: the caller looks at the closing flag
/// before.
[[gnu::always_inline]] inline RingOutcome put(const RingView& view, const BorrowedPort& port) {
  // Invariant 1: the slot words below are read after this block became the port's spare.
  const SpareWord spare = port.spare();
  CRASH_POINT("put.begin");
  for (bool intended = false;; intended = true) {
    const detail::Front tail = detail::find_tail(view);
    if (tail.word.state() == SlotState::closed) return detail::give_up(port, intended, RingOutcome::closed);
    if (!tail.lap_reached) return detail::give_up(port, intended, RingOutcome::full);
    const SlotWord offered(tail.word.lap(), SlotState::full, spare.block());
    const detail::Place place = detail::place_of(view, IntentKind::put, tail);
    if (!detail::swap(port, IntentKind::put, place, offered, spare)) continue;
    const Position next = tail.at.next(view.capacity());
    detail::move_hint(view.header().tail, next);
    // The next slot was last touched by a taker, a lap ago. The received block was last touched by whoever
    // read the message in it: fetched now, the next message is written without waiting for that.
    prefetch_to_read(&view.slot(next.index()));
    prefetch_to_write(RingView::inline_payload(place.block));
    return RingOutcome::done;
  }
}

/// Takes the next message; `kind` is get or lease. done: it is in the port's spare block, which is the
/// caller's until it uses that port again. empty, closed: nothing has changed. Once the closing flag is set,
/// places the end when the ring is empty. Messages that were given back are not in the ring: see
/// given_back.hpp.
[[gnu::always_inline]] inline RingOutcome take(const RingView& view, const BorrowedPort& port,
                                               IntentKind kind) {
  const SpareWord spare = port.spare();  // invariant 1, as in put
  CRASH_POINT("take.begin");
  for (bool intended = false;;) {
    // The flag is read before the slot: no accepted message can come behind an EMPTY head that is closed
    // after that.
    const bool closing = view.header().closing.load(std::memory_order_seq_cst) != 0;
    const detail::Front head = detail::find_head(view);
    assert(head.lap_reached && "the head hint passes a slot only when its lap is over");
    if (head.word.state() == SlotState::full) {
      // The message comes while the swap is on its way.
      const detail::Place place = detail::place_of(view, kind, head);
      detail::expect_message(place.block);
      const SlotWord offered(head.word.lap() + 1, SlotState::empty, spare.block());
      intended = true;
      if (!detail::swap(port, kind, place, offered, spare)) continue;
      detail::move_hint(view.header().head, head.at.next(view.capacity()));
      return RingOutcome::done;
    }
    if (head.word.state() == SlotState::closed) return detail::give_up(port, intended, RingOutcome::closed);
    if (!closing) return detail::give_up(port, intended, RingOutcome::empty);
    CRASH_POINT("take.ending");
    std::uint64_t expected = head.word.bits();
    const SlotWord end(head.word.lap(), SlotState::closed, head.word.block());
    // CLOSED from now on, or a last message came in before the end: the next turn tells.
    view.slot(head.at.index()).compare_exchange_strong(expected, end.bits(), std::memory_order_seq_cst);
  }
}

}  // namespace wyvern::ring
