#pragma once

#include <cstdint>

#include <wyvern/channels/ring_layout.hpp>
#include <wyvern/core/segment.hpp>

namespace wyvern {

/// A view of one channel's memory: where its slots, ports and blocks are. Cheap to copy; the segment must
/// outlive it.
class RingView {
 public:
  RingView(const Segment& segment, std::uint64_t channel_offset);

  const Segment& segment() const { return *segment_; }
  ChannelHeader& header() const { return *header_; }
  std::uint32_t capacity() const { return capacity_; }
  std::uint32_t inline_size() const { return inline_size_; }
  std::atomic<std::uint64_t>& slot(std::uint32_t index) const {
    return slot_lines_[slot_line_place(index / slots_per_line, slot_mask_, slot_fold_)]
        .words[index % slots_per_line];
  }
  /// `number` < port_count; the memory of a port that was once counted stays.
  Port& port(std::uint32_t number) const {
    return number < first_ports ? first_ports_[number]
                                : chunk_ports(number)[(number - first_ports) % ports_per_chunk];
  }
  BlockHeader& block(std::uint32_t number) const {
    return number < blocks_in_front_
               ? *reinterpret_cast<BlockHeader*>(first_blocks_ + std::uint64_t{number} * stride_)
               : chunk_block(number - blocks_in_front_);
  }
  static std::byte* inline_payload(BlockHeader& block) { return reinterpret_cast<std::byte*>(&block + 1); }

 private:
  Port* chunk_ports(std::uint32_t number) const;
  BlockHeader& chunk_block(std::uint32_t number_in_chunks) const;

  const Segment* segment_;
  ChannelHeader* header_;
  SlotLine* slot_lines_;
  Port* first_ports_;
  std::byte* first_blocks_;
  std::uint32_t capacity_;
  std::uint32_t slot_mask_;
  std::uint32_t slot_fold_;
  std::uint32_t inline_size_;
  std::uint32_t stride_;
  std::uint32_t blocks_in_front_;  // the slots' and the first ports'
};

/// A port that the calling thread has borrowed.
struct BorrowedPort {
  Port* port = nullptr;
  std::uint32_t number = no_port;

  /// Nobody but the borrower writes it, so what is read is what it is.
  SpareWord spare() const { return SpareWord(port->spare.load(std::memory_order_relaxed)); }
};

enum class RingOutcome { done, full, empty, closed };

/// The swap ring; its operations are in ring_operations.hpp. Every operation is one compare-and-swap on a
/// slot that exchanges the port's spare block for the slot's: that is its linearisation point, before it
/// nothing has happened and after it everything has, so no process that dies or stops anywhere leaves a state
/// that others must wait for.
///
/// Who may call: any number of threads of any processes at once, each with a port that nobody else uses
/// meanwhile. Invariants: docs/swap_ring.md. None of these calls allocates, blocks, or makes a system call.
namespace ring {

/// Whether a put (a take) would find room (a message, or the end) in the ring now: the test for waiting.
bool has_room_or_end(const RingView& view);
bool has_message_or_end(const RingView& view);
/// Whether the end is in the ring: nothing will ever be put again, and everything that was has been taken.
bool has_ended(const RingView& view);

/// Messages in the ring: exact when nobody else is at work.
std::uint64_t size_approx(const RingView& view);
/// Messages to be taken, or places to put into, as far as the hints tell: looks at no slot, so that nobody
/// who works there is disturbed.
std::uint64_t ready_approx(const RingView& view, IntentKind kind);
/// Messages that were ever put: exact at a moment during the call.
std::uint64_t put_count(const RingView& view);

}  // namespace ring
}  // namespace wyvern
