#include <algorithm>

#include <wyvern/channels/ring_operations.hpp>
#include <wyvern/core/prefetch.hpp>

namespace wyvern {

RingView::RingView(const Segment& segment, std::uint64_t channel_offset)
    : segment_(&segment),
      header_(segment.at<ChannelHeader>(channel_offset)),
      slots_(segment.at<Slot>(header_->slots_offset)),
      first_ports_(segment.at<Port>(header_->ports_offset)),
      first_blocks_(segment.at(header_->blocks_offset)),
      capacity_(header_->capacity),
      slot_mask_(slot_places(header_->capacity) - 1),
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
  return detail::find_head(view).word.state() != SlotState::empty ||
         view.header().closing.load(std::memory_order_seq_cst) != 0;
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
  return expect(view, detail::find_head(view).at,
                static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, ready)), SlotState::full);
}

std::uint32_t expect_room(const RingView& view, std::uint32_t wanted) {
  const std::uint64_t room = view.capacity() - size_approx(view);
  return expect(view, detail::find_tail(view).at,
                static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, room)), SlotState::empty);
}

}  // namespace ring
}  // namespace wyvern
