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

template <IntentKind kind>
void Burst<kind>::look(const RingView& the_view, const BorrowedPort& port, std::uint32_t wanted) {
  const RingView view = the_view;  // which no store below can be taken to change
  port_ = port;
  block_ = &view.block(port.spare().block());
  next_ = 0;
  end_ = 0;
  const Position begin = puts ? detail::find_tail(view).at : detail::find_head(view).at;
  begin_ = begin;
  first_ticket_ = begin.ticket(view.capacity());
  // Lines where there is nothing to do for us are left to those who work there.
  const std::uint64_t ready = puts ? room_approx(view, begin) : messages_approx(view, begin);
  const auto promising = static_cast<std::uint32_t>(std::min<std::uint64_t>({wanted, longest_burst, ready}));
  Position at = begin;
  std::atomic<std::uint64_t>* slot = nullptr;
  for (std::uint32_t i = 0; i < promising; ++i, at = at.next(view.capacity())) {
    if (i == 0 || at.index() % slots_per_line == 0) {
      slot = &view.slot(at.index());
      prefetch_to_write(slot);
    }
    ahead_[i].slot = slot++;
  }
  constexpr SlotState state = puts ? SlotState::empty : SlotState::full;
  // What is before the block in the words of this lap and of the next.
  const std::uint64_t now = SlotWord(begin.lap(), state, 0).bits() >> block_bits;
  const std::uint64_t next_lap = SlotWord(begin.lap() + 1, state, 0).bits() >> block_bits;
  const std::uint32_t before_end = view.capacity() - begin.index();  // places of this lap
  std::uint32_t found = 0;
  for (; found < promising; ++found) {
    Ahead& ahead = ahead_[found];
    // Acquire: where a block of a later chunk is was stored before it came into a slot. operate() reads the
    // word again.
    const SlotWord word(ahead.slot->load(std::memory_order_acquire));
    if (word.bits() >> block_bits != (found < before_end ? now : next_lap)) break;
    BlockHeader& block = view.block(word.block());
    ahead.word = word.bits();
    ahead.block = &block;
    if (puts) {
      prefetch_to_write(&block);
      prefetch_to_write(RingView::inline_payload(block));
    } else {
      detail::expect_message(block);
    }
  }
  end_ = found;
}

template class Burst<IntentKind::put>;
template class Burst<IntentKind::get>;

}  // namespace ring
}  // namespace wyvern
