#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <wyvern/channels/ring_words.hpp>
#include <wyvern/core/segment_layout.hpp>
#include <wyvern/core/waiter_set.hpp>

/// The swap ring as it lies in the segment. Why it is right is in docs/swap_ring.md; the model beside this
/// file is kept in step with ring.cpp.
namespace wyvern {

inline constexpr std::uint64_t max_inline_size = std::uint64_t{1} << 20;

/// Slots that follow one another in use share a line by fours: what a core has fetched for one place serves
/// the next three, and a ring that is used by turns needs few lines. More to a line, and both ends of a ring
/// that is nearly full or empty would be in the same one for longer. The lines lie apart in memory, in uneven
/// steps, and so do the blocks that the slots start with. A processor that sees its core walk through lines
/// in even steps, however long, fetches the next ones ahead, and takes them from the core that is just about
/// to write them: that costs a good part of a message's journey. There is a power of two of lines; a line's
/// place is its number times an odd one, the upper half of the bits folded into the lower: each place is met
/// once.
inline constexpr std::uint32_t slots_per_line = 4;
struct alignas(cache_line) SlotLine {
  std::atomic<std::uint64_t> words[slots_per_line];  ///< SlotWord
};
static_assert(sizeof(SlotLine) == cache_line);
inline constexpr std::uint32_t slot_scatter = 0x9E37'79B5;
constexpr std::uint32_t slot_lines(std::uint32_t capacity) {
  return std::bit_ceil((capacity + slots_per_line - 1) / slots_per_line);
}
constexpr std::uint32_t slot_fold(std::uint32_t capacity) {
  return (static_cast<std::uint32_t>(std::bit_width(slot_lines(capacity))) + 1) / 2;
}
constexpr std::uint32_t slot_line_place(std::uint32_t number, std::uint32_t mask, std::uint32_t fold) {
  const std::uint32_t spread = (number * slot_scatter) & mask;
  return spread ^ (spread >> fold);
}

/// What different processes write all the time keeps that far apart: a core that fetches a line may fetch its
/// neighbour with it, and so take it away from who is using it.
inline constexpr std::size_t cache_line_pair = 2 * cache_line;

/// The right to have one operation in flight. Written by the thread that has borrowed it, and by the agent
/// once the kernel has proved its process dead. Always holds one spare block.
struct alignas(cache_line_pair) Port {
  std::atomic<std::uint64_t> owner;     ///< PortOwner
  std::atomic<std::uint64_t> intent;    ///< IntentWord
  std::atomic<std::uint64_t> spare;     ///< SpareWord
  std::atomic<std::uint64_t> finished;  ///< FinishedWord; any thread of the owning process counts in it
  std::atomic<std::uint64_t> moved;     ///< MovedWord
  std::uint64_t reserved[11];
};
static_assert(sizeof(Port) == 128);

/// What stands before a block's payload. A block is written by the port that has it as its spare.
struct alignas(cache_line) BlockHeader {
  std::atomic<std::uint32_t> tag;      ///< the port that received the block last
  std::atomic<std::uint32_t> extent;   ///< + 1; 0: the payload is in the block itself
  std::uint64_t length;                ///< of the payload, bytes
  std::atomic<std::uint64_t> handles;  ///< HandleList; 0: the message carries none
  std::uint64_t payload_offset;        ///< where the extent is, in the segment
  std::uint64_t reserved[4];
};
static_assert(sizeof(BlockHeader) == 64);

inline constexpr std::uint32_t channel_magic = 0x4E41'4843;  // "CHAN"
inline constexpr std::size_t channel_name_bytes = 120;
inline constexpr std::uint32_t max_window = 65'536;
inline constexpr std::uint32_t max_prefetch = 1024;

/// A channel at its directory entry's offset: this header, then slots, first ports, and their blocks and
/// those of the slots. Further ports come in chunks: `ports_per_chunk` ports, then as many blocks.
struct ChannelHeader {
  // Constant after creation.
  std::uint32_t magic;
  std::uint32_t capacity;
  std::uint32_t inline_size;
  std::uint32_t block_stride;
  std::uint64_t id;
  std::uint64_t type_hash;
  std::uint64_t max_bytes;
  std::uint64_t slots_offset;
  std::uint64_t ports_offset;
  std::uint64_t blocks_offset;
  std::uint32_t object;          ///< its directory index
  std::uint32_t max_deliveries;  ///< 0: no limit
  std::uint64_t dead_letters;    ///< id of the channel that gets what was delivered so often in vain
  std::uint32_t dead_letters_object;
  std::uint32_t window;    ///< messages that a process of another node puts ahead of their answers
  std::uint32_t prefetch;  ///< messages that it gets before it asks for them
  std::uint32_t reserved;
  char type_name[channel_name_bytes];
  char name[channel_name_bytes];
  // Read by every operation and seldom written.
  alignas(cache_line) std::atomic<std::uint32_t> closing;
  std::atomic<std::uint32_t> carries_handles;  ///< 1 once a message with handles was put
  std::atomic<std::uint64_t> given_back;       ///< {changes:63, some:1}: some port may be GIVEN_BACK
  std::atomic<std::uint32_t> largest_extent;   ///< class + 1 of the largest payload ever outside a block
  std::atomic<std::uint32_t> port_count;
  std::atomic<std::uint32_t> port_hint;                      ///< where the next search for a free port starts
  alignas(cache_line_pair) std::atomic<std::uint64_t> tail;  ///< Position: no put before it is open
  alignas(cache_line_pair) std::atomic<std::uint64_t> head;  ///< Position: no get before it is open
  alignas(cache_line_pair) WaiterSet getters;
  alignas(cache_line) WaiterSet putters;
  alignas(cache_line) WaiterSet payload_putters;            ///< who waits until payloads take less memory
  alignas(cache_line) WaiterSet joiners;                    ///< who waits until everything put is done
  std::atomic<std::uint64_t> port_chunks[max_port_chunks];  ///< offsets
};

constexpr std::uint64_t block_stride_for(std::uint64_t inline_size) {
  return sizeof(BlockHeader) + (inline_size + cache_line - 1) / cache_line * cache_line;
}

/// Of everything shared, this layer's structs included: what two programs must agree on to share a segment.
inline constexpr std::uint64_t channels_layout_hash = hash_layout(
    core_layout_hash, sizeof(ChannelHeader), offsetof(ChannelHeader, closing), offsetof(ChannelHeader, tail),
    offsetof(ChannelHeader, getters), offsetof(ChannelHeader, payload_putters),
    offsetof(ChannelHeader, port_chunks), offsetof(ChannelHeader, window), offsetof(ChannelHeader, prefetch),
    slots_per_line, slot_scatter, sizeof(Port), offsetof(Port, finished), sizeof(BlockHeader),
    offsetof(BlockHeader, length), offsetof(BlockHeader, payload_offset), max_capacity, block_bits,
    ticket_bits, index_bits, first_ports, ports_per_chunk, max_port_chunks);

}  // namespace wyvern
