#include <algorithm>

#include <wyvern/channels/ring_burst.hpp>
#include <wyvern/channels/ring_operations.hpp>
#include <wyvern/core/prefetch.hpp>

namespace wyvern {

RingView::RingView(const Segment& segment, std::uint64_t channel_offset)
    : segment_(&segment),
      header_(segment.at<ChannelHeader>(channel_offset)),
      slot_lines_(segment.at<SlotLine>(header_->slots_offset)),
      first_ports_(segment.at<Port>(header_->ports_offset)),
      first_blocks_(segment.at(header_->blocks_offset)),
      capacity_(header_->capacity),
      slot_mask_(slot_lines(header_->capacity) - 1),
      slot_fold_(slot_fold(header_->capacity)),
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

bool has_room_or_end(const RingView& view) {
  if (view.header().closing.load(std::memory_order_seq_cst) != 0) return true;
  const detail::Front tail = detail::find_tail(view);
  return tail.lap_reached || tail.word.state() == SlotState::closed;
}

bool has_message_or_end(const RingView& view) {
  const SlotWord head = detail::find_head(view).word;
  if (head.state() == SlotState::full) {
    // It will be taken in a moment.
    detail::expect_message(view.block(head.block()));
    return true;
  }
  return head.state() == SlotState::closed || view.header().closing.load(std::memory_order_seq_cst) != 0;
}

bool has_ended(const RingView& view) { return detail::find_head(view).word.state() == SlotState::closed; }

std::uint64_t size_approx(const RingView& view) {
  // Head first: a tail that is read later is never before it; more than the capacity is only an old answer.
  const std::uint64_t got = detail::find_head(view).at.ticket(view.capacity());
  const std::uint64_t put = put_count(view);
  return put <= got ? 0 : std::min<std::uint64_t>(put - got, view.capacity());
}

std::uint64_t put_count(const RingView& view) { return detail::find_tail(view).at.ticket(view.capacity()); }

namespace {

/// By the other side's hint, which may be behind, from the front `at` on; never more than the capacity,
/// however wrong both are.
std::uint64_t messages_approx(const RingView& view, Position at) {
  const Position tail(view.header().tail.load(std::memory_order_acquire));
  if (tail.bits() <= at.bits()) return 0;
  return std::min<std::uint64_t>(tail.ticket(view.capacity()) - at.ticket(view.capacity()), view.capacity());
}
std::uint64_t room_approx(const RingView& view, Position at) {
  const Position head(view.header().head.load(std::memory_order_acquire));
  const std::uint64_t end = head.ticket(view.capacity()) + view.capacity();
  const std::uint64_t begin = at.ticket(view.capacity());
  return end <= begin ? 0 : std::min<std::uint64_t>(end - begin, view.capacity());
}

}  // namespace

std::uint64_t ready_approx(const RingView& view, IntentKind kind) {
  if (kind == IntentKind::put)
    return room_approx(view, Position(view.header().tail.load(std::memory_order_acquire)));
  return messages_approx(view, Position(view.header().head.load(std::memory_order_acquire)));
}

namespace {

/// Slots in a row within a line.
struct Stretch {
  std::atomic<std::uint64_t>* slot;
  std::atomic<std::uint64_t>* end;
  std::uint64_t expected;  // what is before the block in their words
};
/// Of a burst: the first, the ring's last, and the burst's last may be shorter than a line.
using Stretches = std::array<Stretch, longest_burst / slots_per_line + 2>;

/// The next `left` <= longest_burst slots from `begin` on, asking for each of their lines; where they end.
[[gnu::always_inline]] inline const Stretch* fetch_slots(const RingView& view, Position begin,
                                                         std::uint32_t left, SlotState state,
                                                         Stretches& stretches) {
  Stretch* next_stretch = stretches.data();
  std::uint64_t lap = begin.lap();
  for (std::uint32_t index = begin.index(); left != 0; ++lap, index = 0) {
    const std::uint32_t end = std::min(index + left, view.capacity());  // of this lap
    left -= end - index;
    const std::uint64_t expected = SlotWord(lap, state, 0).bits() >> block_bits;
    while (index != end) {
      const std::uint32_t next = std::min((index | (slots_per_line - 1)) + 1, end);
      std::atomic<std::uint64_t>* const slot = &view.slot(index);
      prefetch_to_write(slot);
      *next_stretch++ = {slot, slot + (next - index), expected};
      index = next;
    }
  }
  return next_stretch;
}

/// Adds one place to those ahead, and fetches its block; false: the slot is not as expected.
template <IntentKind kind, class Ahead>
[[gnu::always_inline]] inline bool look_at(const RingView& view, std::atomic<std::uint64_t>& slot,
                                           std::uint64_t expected, Ahead*& ahead) {
  // Acquire: where a block of a later chunk is was stored before it came into a slot. operate() reads the
  // word again.
  const SlotWord word(slot.load(std::memory_order_acquire));
  if (word.bits() >> block_bits != expected) [[unlikely]]
    return false;
  BlockHeader& block = view.block(word.block());
  *ahead++ = {&slot, &block, word.bits()};
  if (kind == IntentKind::put) {
    prefetch_to_write(&block);
    prefetch_to_write(RingView::inline_payload(block));
  } else {
    detail::expect_message(block);
  }
  return true;
}

template <IntentKind kind, class Ahead>
[[gnu::always_inline]] inline bool look_along(const RingView& view, const Stretch& stretch, Ahead*& ahead) {
  std::atomic<std::uint64_t>* slot = stretch.slot;
  const std::uint64_t expected = stretch.expected;
  static_assert(slots_per_line == 4);
  if (stretch.end == slot + slots_per_line) [[likely]]  // without a loop
    return look_at<kind>(view, slot[0], expected, ahead) && look_at<kind>(view, slot[1], expected, ahead) &&
           look_at<kind>(view, slot[2], expected, ahead) && look_at<kind>(view, slot[3], expected, ahead);
  while (slot != stretch.end && look_at<kind>(view, *slot, expected, ahead)) ++slot;
  return slot == stretch.end;
}

}  // namespace

template <IntentKind kind>
void Burst<kind>::look(const RingView& the_view, const BorrowedPort& port, std::uint32_t wanted) {
  port_ = port;
  next_ = 0;
  const Position begin = puts ? detail::find_tail(the_view).at : detail::find_head(the_view).at;
  begin_ = begin;
  // Lines where there is nothing to do for us are left to those who work there.
  const std::uint64_t ready = puts ? room_approx(the_view, begin) : messages_approx(the_view, begin);
  const auto promising = static_cast<std::uint32_t>(std::min<std::uint64_t>({wanted, longest_burst, ready}));
  const RingView view = the_view;  // to be in registers: no store below can be taken to change it
  // All lines of slots are asked for before the first word is read.
  Stretches stretches;
  const Stretch* const stretches_end =
      fetch_slots(view, begin, promising, puts ? SlotState::empty : SlotState::full, stretches);

  Ahead* ahead = ahead_.data();
  const Stretch* stretch = stretches.data();
  while (stretch != stretches_end && look_along<kind>(view, *stretch, ahead)) ++stretch;
  end_ = static_cast<std::uint32_t>(ahead - ahead_.data());
}

template <IntentKind kind>
auto Burst<kind>::store_hint(const RingView& view, const Ahead* next) const -> const Ahead* {
  const auto done = static_cast<std::uint32_t>(next - ahead_.data());
  detail::move_hint(puts ? view.header().tail : view.header().head, begin_.after(done, view.capacity()));
  return next_stop(done);
}

template class Burst<IntentKind::put>;
template class Burst<IntentKind::get>;

}  // namespace ring
}  // namespace wyvern
