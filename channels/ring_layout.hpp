#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <wyvern/core/segment_layout.hpp>
#include <wyvern/core/waiter_set.hpp>

/// The swap ring as it lies in the segment, and the words it is made of. What the words mean and why the ring
/// is right is in docs/swap_ring.md; the model beside this file is kept in step with ring.cpp.
namespace wyvern {

inline constexpr std::uint64_t max_capacity = std::uint64_t{1} << 17;
inline constexpr std::uint64_t max_inline_size = std::uint64_t{1} << 20;
inline constexpr unsigned block_bits = 18;
inline constexpr unsigned ticket_bits = 44;
inline constexpr unsigned index_bits = 17;
inline constexpr std::uint64_t ticket_mask = (std::uint64_t{1} << ticket_bits) - 1;
inline constexpr std::uint32_t max_blocks = 1U << block_bits;
/// Ports that a channel starts with; the agent adds more in chunks of `ports_per_chunk` when they are needed.
inline constexpr std::uint32_t first_ports = 8;
inline constexpr std::uint32_t ports_per_chunk = 32;
inline constexpr std::uint32_t max_port_chunks = 256;
inline constexpr std::uint32_t max_ports = first_ports + ports_per_chunk * max_port_chunks;
static_assert(max_capacity + max_ports <= max_blocks);
static_assert(ticket_bits + block_bits + 2 == 64);
inline constexpr std::uint32_t no_port = ~std::uint32_t{0};

/// The difference of two numbers that are kept modulo 2^44: right while they are less than 2^43 apart.
constexpr std::int64_t difference_modulo_ticket(std::uint64_t a, std::uint64_t b) {
  constexpr unsigned shift = 64 - ticket_bits;
  return static_cast<std::int64_t>((a - b) << shift) >> shift;
}

enum class SlotState : std::uint64_t { empty = 0, full = 1, closed = 2 };

/// A slot: {lap:44, state:2, block:18}. An EMPTY slot holds a free block, a FULL one the block with the
/// message; a CLOSED one is the end of the queue and keeps the free block it had.
class SlotWord {
 public:
  constexpr explicit SlotWord(std::uint64_t bits) : bits_(bits) {}
  constexpr SlotWord(std::uint64_t lap, SlotState state, std::uint32_t block)
      : bits_((lap << (block_bits + 2)) | (static_cast<std::uint64_t>(state) << block_bits) | block) {}
  constexpr std::uint64_t bits() const { return bits_; }
  constexpr std::uint64_t lap() const { return bits_ >> (block_bits + 2); }  // modulo 2^44
  constexpr SlotState state() const { return static_cast<SlotState>((bits_ >> block_bits) & 3); }
  constexpr std::uint32_t block() const { return static_cast<std::uint32_t>(bits_ & (max_blocks - 1)); }

 private:
  std::uint64_t bits_;
};

/// A place in the sequence of operations: lap and slot index, ordered. {lap:47, index:17}; hints are kept in
/// this form, so that no operation divides by the capacity.
class Position {
 public:
  constexpr explicit Position(std::uint64_t bits) : bits_(bits) {}
  constexpr Position(std::uint64_t lap, std::uint32_t index) : bits_((lap << index_bits) | index) {}
  constexpr std::uint64_t bits() const { return bits_; }
  constexpr std::uint64_t lap() const { return bits_ >> index_bits; }
  constexpr std::uint32_t index() const {
    return static_cast<std::uint32_t>(bits_ & ((1U << index_bits) - 1));
  }
  constexpr Position next(std::uint32_t capacity) const {
    return index() + 1 == capacity ? Position(lap() + 1, 0) : Position(bits_ + 1);
  }
  constexpr std::uint64_t ticket(std::uint32_t capacity) const { return lap() * capacity + index(); }

 private:
  std::uint64_t bits_;
};

/// What a port is about to do: {ticket:44, block it is to receive:18, getter:1, active:1}; 0: nothing.
class IntentWord {
 public:
  constexpr explicit IntentWord(std::uint64_t bits) : bits_(bits) {}
  constexpr IntentWord(bool getter, std::uint64_t ticket, std::uint32_t block)
      : bits_(((ticket & ticket_mask) << (block_bits + 2)) | (std::uint64_t{block} << 2) |
              (getter ? 2U : 0U) | 1U) {}
  constexpr std::uint64_t bits() const { return bits_; }
  constexpr bool active() const { return (bits_ & 1) != 0; }
  constexpr bool getter() const { return (bits_ & 2) != 0; }
  constexpr std::uint64_t ticket() const { return bits_ >> (block_bits + 2); }
  constexpr std::uint32_t block() const { return static_cast<std::uint32_t>(bits_ >> 2) & (max_blocks - 1); }

 private:
  std::uint64_t bits_;
};

enum class PortState : std::uint64_t { free = 0, owned = 1, given_back = 2 };

/// Who has a port: {generation:46, process index:16, state:2}.
class PortOwner {
 public:
  constexpr explicit PortOwner(std::uint64_t bits) : bits_(bits) {}
  constexpr PortState state() const { return static_cast<PortState>(bits_ & 3); }
  constexpr std::uint32_t process() const { return static_cast<std::uint32_t>(bits_ >> 2) & 0xffff; }
  constexpr std::uint64_t bits() const { return bits_; }
  constexpr PortOwner next(PortState state, std::uint32_t process = 0) const {
    return PortOwner((((bits_ >> 18) + 1) << 18) | (std::uint64_t{process} << 2) |
                     static_cast<std::uint64_t>(state));
  }

 private:
  std::uint64_t bits_;
};
static_assert(max_processes <= 0x10000);

/// The right to have one operation in flight. Written by the thread that has borrowed it, and by the agent
/// once the kernel has proved its process dead. Always holds one spare block.
struct alignas(cache_line) Port {
  std::atomic<std::uint64_t> owner;
  std::atomic<std::uint64_t> intent;
  std::atomic<std::uint32_t> spare;
  std::uint32_t reserved0;
  std::atomic<std::uint64_t> lease;  ///< {epoch, kind} of the message in the spare block
  std::atomic<std::uint64_t> lease_until;
  std::uint64_t reserved[3];
};
static_assert(sizeof(Port) == 64);

/// What stands before a block's payload. A block is written by the port that has it as its spare.
struct alignas(cache_line) BlockHeader {
  std::atomic<std::uint32_t> tag;     ///< the port that received the block last
  std::atomic<std::uint32_t> extent;  ///< + 1; 0: the payload is in the block itself
  std::uint64_t length;               ///< of the payload, bytes
  std::uint32_t delivery_count;
  std::uint32_t handle_count;  ///< object references that follow the payload
  std::uint64_t reserved[5];
};
static_assert(sizeof(BlockHeader) == 64);

inline constexpr std::uint32_t channel_magic = 0x4E41'4843;  // "CHAN"
inline constexpr std::size_t channel_name_bytes = 120;

/// A channel at its directory entry's offset: this header, then slots, first ports, and their blocks and
/// those of the slots. Further ports come in chunks: `ports_per_chunk` ports, then as many blocks.
struct ChannelHeader {
  // Constant after creation, but for `closing`, which is read with them.
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
  std::uint32_t object;  ///< its directory index
  std::atomic<std::uint32_t> closing;
  char type_name[channel_name_bytes];
  char name[channel_name_bytes];
  alignas(cache_line) std::atomic<std::uint64_t> tail;          ///< Position: no put before it is open
  alignas(cache_line) std::atomic<std::uint64_t> head;          ///< Position: no get before it is open
  alignas(cache_line) std::atomic<std::uint64_t> extent_bytes;  ///< {changes:16, bytes:48}
  std::atomic<std::uint32_t> port_count;
  std::atomic<std::uint32_t> port_hint;
  alignas(cache_line) WaiterSet getters;
  alignas(cache_line) WaiterSet putters;
  alignas(cache_line) WaiterSet payload_putters;            ///< who waits until extent_bytes falls
  std::atomic<std::uint64_t> port_chunks[max_port_chunks];  ///< offsets
};

constexpr std::uint64_t block_stride_for(std::uint64_t inline_size) {
  return sizeof(BlockHeader) + (inline_size + cache_line - 1) / cache_line * cache_line;
}

/// Of everything shared, this layer's structs included: what two programs must agree on to share a segment.
inline constexpr std::uint64_t channels_layout_hash =
    hash_layout(core_layout_hash, sizeof(ChannelHeader), offsetof(ChannelHeader, tail),
                offsetof(ChannelHeader, extent_bytes), offsetof(ChannelHeader, getters),
                offsetof(ChannelHeader, payload_putters), offsetof(ChannelHeader, port_chunks), sizeof(Port),
                offsetof(Port, lease), sizeof(BlockHeader), offsetof(BlockHeader, length), max_capacity,
                block_bits, ticket_bits, index_bits, first_ports, ports_per_chunk, max_port_chunks);

}  // namespace wyvern
