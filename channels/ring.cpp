#include <algorithm>
#include <cassert>

#include <wyvern/channels/ring.hpp>
#include <wyvern/core/crash_point.hpp>
#include <wyvern/core/prefetch.hpp>

namespace wyvern {

RingView::RingView(const Segment& segment, std::uint64_t channel_offset)
    : segment_(&segment),
      header_(segment.at<ChannelHeader>(channel_offset)),
      slots_(segment.at<Slot>(header_->slots_offset)),
      first_ports_(segment.at<Port>(header_->ports_offset)),
      first_blocks_(segment.at(header_->blocks_offset)),
      capacity_(header_->capacity),
      inline_size_(header_->inline_size),
      stride_(header_->block_stride),
      blocks_in_front_(header_->capacity + first_ports) {}

Port* RingView::chunk_ports(std::uint32_t number) const {
  // Acquire: pairs with the agent's release after the chunk was filled in.
  const auto& chunk = header_->port_chunks[(number - first_ports) / ports_per_chunk];
  return segment_->at<Port>(chunk.load(std::memory_order_acquire));
}

BlockHeader& RingView::chunk_block(std::uint32_t number_in_chunks) const {
  const auto& chunk = header_->port_chunks[number_in_chunks / ports_per_chunk];
  const std::uint64_t blocks = chunk.load(std::memory_order_acquire) + ports_per_chunk * sizeof(Port);
  return *segment_->at<BlockHeader>(blocks + std::uint64_t{number_in_chunks % ports_per_chunk} * stride_);
}

namespace ring {
namespace {

/// The swap of one operation with its bookkeeping. The order of the stores is what recovery is built on:
/// intent, swap, tag, spare; a killed process leaves a prefix of it (docs/swap_ring.md, invariant 3). The
/// intent stays: once the spare is the block it names, it says what was done last.
bool swap(const RingView& view, const BorrowedPort& port, IntentKind kind, Position at, SlotWord seen,
          SlotWord offered, SpareWord spare) {
  const std::uint32_t received = seen.block();
  // Release: the spare and tag stored by the operation before come first for the agent that reads this
  // intent.
  port.port->intent.store(IntentWord(kind, at.ticket(view.capacity()), received).bits(),
                          std::memory_order_release);
  CRASH_POINT(kind == IntentKind::put ? "put.intended" : "take.intended");
  std::uint64_t expected = seen.bits();
  // Sequentially consistent: releases the message (or the free block), acquires the received block, puts the
  // intent before the swap for the agent, and stands before the look for sleepers that follows (WaiterSet).
  if (!view.slot(at.index())
           .compare_exchange_strong(expected, offered.bits(), std::memory_order_seq_cst,
                                    std::memory_order_relaxed))
    return false;
  CRASH_POINT(kind == IntentKind::put ? "put.swapped" : "take.swapped");
  view.block(received).tag.store(port.number, std::memory_order_release);
  CRASH_POINT(kind == IntentKind::put ? "put.tagged" : "take.tagged");
  port.port->spare.store(spare.after(kind, received).bits(), std::memory_order_release);
  CRASH_POINT(kind == IntentKind::put ? "put.spared" : "take.spared");
  return true;
}

/// An operation that leaves without having done anything takes back what it intended: an intent for a block
/// that is not the spare means "in flight" to everybody else.
RingOutcome give_up(const BorrowedPort& port, bool intended, RingOutcome outcome) {
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
Position after_what_is_over(const RingView& view, Position at, std::uint64_t slot_lap, bool own_is_over) {
  return Position(own_is_over ? slot_lap : slot_lap - 1, at.index()).next(view.capacity());
}

/// Hints are lower bounds that anybody stores when he has seen further, also one who was stopped for long and
/// throws them back: whoever finds himself behind jumps forward by what the slot says.
Front find_front(const RingView& view, const std::atomic<std::uint64_t>& hint, bool putter) {
  Position at(hint.load(std::memory_order_acquire));  // not before the slot it leads to
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

Front find_tail(const RingView& view) { return find_front(view, view.header().tail, true); }
Front find_head(const RingView& view) { return find_front(view, view.header().head, false); }

/// Release: who reads the hint must not find its slot as it was before the lap that the hint says has been
/// reached.
void move_hint(std::atomic<std::uint64_t>& hint, Position to) {
  hint.store(to.bits(), std::memory_order_release);
}

}  // namespace

RingOutcome put(const RingView& view, const BorrowedPort& port) {
  // Invariant 1: the slot words below are read after this block became the port's spare.
  const SpareWord spare = port.spare();
  CRASH_POINT("put.begin");
  for (bool intended = false;; intended = true) {
    const Front tail = find_tail(view);
    if (tail.word.state() == SlotState::closed) return give_up(port, intended, RingOutcome::closed);
    if (!tail.lap_reached) return give_up(port, intended, RingOutcome::full);
    const SlotWord offered(tail.word.lap(), SlotState::full, spare.block());
    if (!swap(view, port, IntentKind::put, tail.at, tail.word, offered, spare)) continue;
    move_hint(view.header().tail, tail.at.next(view.capacity()));
    return RingOutcome::done;
  }
}

RingOutcome take(const RingView& view, const BorrowedPort& port, IntentKind kind) {
  const SpareWord spare = port.spare();  // invariant 1, as in put
  CRASH_POINT("take.begin");
  for (bool intended = false;;) {
    // The flag is read before the slot: no accepted message can come behind an EMPTY head that is closed
    // after that.
    const bool closing = view.header().closing.load(std::memory_order_seq_cst) != 0;
    const Front head = find_head(view);
    assert(head.lap_reached && "the head hint passes a slot only when its lap is over");
    if (head.word.state() == SlotState::full) {
      // The message comes while the swap is on its way.
      BlockHeader& block = view.block(head.word.block());
      prefetch_to_write(&block);
      prefetch_to_read(RingView::inline_payload(block));
      const SlotWord offered(head.word.lap() + 1, SlotState::empty, spare.block());
      intended = true;
      if (!swap(view, port, kind, head.at, head.word, offered, spare)) continue;
      move_hint(view.header().head, head.at.next(view.capacity()));
      return RingOutcome::done;
    }
    if (head.word.state() == SlotState::closed) return give_up(port, intended, RingOutcome::closed);
    if (!closing) return give_up(port, intended, RingOutcome::empty);
    CRASH_POINT("take.ending");
    std::uint64_t expected = head.word.bits();
    const SlotWord end(head.word.lap(), SlotState::closed, head.word.block());
    // CLOSED from now on, or a last message came in before the end: the next turn tells.
    view.slot(head.at.index()).compare_exchange_strong(expected, end.bits(), std::memory_order_seq_cst);
  }
}

bool has_room_or_end(const RingView& view) {
  if (view.header().closing.load(std::memory_order_seq_cst) != 0) return true;
  const Front tail = find_tail(view);
  return tail.lap_reached || tail.word.state() == SlotState::closed;
}

bool has_message_or_end(const RingView& view) {
  return find_head(view).word.state() != SlotState::empty ||
         view.header().closing.load(std::memory_order_seq_cst) != 0;
}

bool has_ended(const RingView& view) { return find_head(view).word.state() == SlotState::closed; }

std::uint64_t size_approx(const RingView& view) {
  // Head first: a tail that is read later is never before it; more than the capacity is only an old answer.
  const std::uint64_t got = find_head(view).at.ticket(view.capacity());
  const std::uint64_t put = put_count(view);
  return put <= got ? 0 : std::min<std::uint64_t>(put - got, view.capacity());
}

std::uint64_t put_count(const RingView& view) { return find_tail(view).at.ticket(view.capacity()); }

namespace {

/// Fetches slots from `at` on, then the blocks in those that are in `state` at their lap; how many in a row
/// are.
std::uint32_t expect(const RingView& view, Position at, std::uint32_t wanted, SlotState state) {
  Position ahead = at;
  for (std::uint32_t i = 0; i < wanted; ++i, ahead = ahead.next(view.capacity())) {
    prefetch_to_write(&view.slot(ahead.index()));
  }
  for (std::uint32_t i = 0; i < wanted; ++i, at = at.next(view.capacity())) {
    const SlotWord word(view.slot(at.index()).load(std::memory_order_relaxed));  // only to look
    if (word.state() != state || difference_modulo_ticket(word.lap(), at.lap()) != 0) return i;
    BlockHeader& block = view.block(word.block());
    prefetch_to_write(&block);
    if (state == SlotState::full) {
      prefetch_to_read(RingView::inline_payload(block));
    } else {
      prefetch_to_write(RingView::inline_payload(block));
    }
  }
  return wanted;
}

}  // namespace

std::uint32_t expect_messages(const RingView& view, std::uint32_t wanted) {
  const std::uint64_t ready = size_approx(view);
  return expect(view, find_head(view).at, static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, ready)),
                SlotState::full);
}

std::uint32_t expect_room(const RingView& view, std::uint32_t wanted) {
  const std::uint64_t room = view.capacity() - size_approx(view);
  return expect(view, find_tail(view).at, static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, room)),
                SlotState::empty);
}

}  // namespace ring
}  // namespace wyvern
