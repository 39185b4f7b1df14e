#pragma once

#include <cstdint>

#include <wyvern/core/segment_layout.hpp>

/// The 64-bit words that the swap ring is made of, each changed in one atomic step. What they mean together
/// is in docs/swap_ring.md. Those of the hot path add their fields, which are disjoint, up: x86 has one
/// instruction for two sums, `lea`, and none for two ors.
namespace wyvern {

inline constexpr std::uint64_t max_capacity = std::uint64_t{1} << 17;
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
/// What a message's delivery count stops at.
inline constexpr std::uint32_t max_deliveries_counted = (1U << 12) - 1;

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
      : bits_((lap << (block_bits + 2)) + (static_cast<std::uint64_t>(state) << block_bits) + block) {}
  constexpr std::uint64_t bits() const { return bits_; }
  constexpr std::uint64_t lap() const { return bits_ >> (block_bits + 2); }  // modulo 2^44
  constexpr SlotState state() const { return static_cast<SlotState>((bits_ >> block_bits) & 3); }
  constexpr std::uint32_t block() const { return static_cast<std::uint32_t>(bits_ & (max_blocks - 1)); }
  /// Whether lap (modulo 2^44) and state are these; one comparison.
  constexpr bool is(std::uint64_t lap, SlotState state) const {
    return bits_ >> block_bits == SlotWord(lap, state, 0).bits_ >> block_bits;
  }

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
  /// `steps` <= capacity further.
  constexpr Position after(std::uint32_t steps, std::uint32_t capacity) const {
    const std::uint64_t place = std::uint64_t{index()} + steps;
    return place < capacity ? Position(bits_ + steps)
                            : Position(lap() + 1, static_cast<std::uint32_t>(place - capacity));
  }
  constexpr std::uint64_t ticket(std::uint32_t capacity) const { return lap() * capacity + index(); }

 private:
  std::uint64_t bits_;
};

enum class IntentKind : std::uint64_t { none = 0, put = 1, get = 2, lease = 3 };

/// What a port is about to do, or has done last: {ticket:44, block it is to receive:18, kind:2}.
class IntentWord {
 public:
  constexpr explicit IntentWord(std::uint64_t bits) : bits_(bits) {}
  constexpr IntentWord(IntentKind kind, std::uint64_t ticket, std::uint32_t block)
      : bits_(((ticket & ticket_mask) << (block_bits + 2)) + (std::uint64_t{block} << 2) +
              static_cast<std::uint64_t>(kind)) {}
  constexpr std::uint64_t bits() const { return bits_; }
  constexpr IntentKind kind() const { return static_cast<IntentKind>(bits_ & 3); }
  /// Whether it takes a message out of the ring.
  constexpr bool takes() const { return (bits_ & 2) != 0; }
  constexpr std::uint64_t ticket() const { return bits_ >> (block_bits + 2); }
  constexpr std::uint32_t block() const { return static_cast<std::uint32_t>(bits_ >> 2) & (max_blocks - 1); }
  /// Of one without a block: the same for a block, and for the next ticket.
  constexpr IntentWord with_block(std::uint32_t block) const {
    return IntentWord(bits_ + (std::uint64_t{block} << 2));
  }
  constexpr IntentWord next() const { return IntentWord(bits_ + (std::uint64_t{1} << (block_bits + 2))); }

 private:
  std::uint64_t bits_;
};

/// What a port holds: {gets:45, leased:1, block:18}. `gets` counts the messages that were got with it; those
/// under a lease are not counted until they are done. Counting a get and owning its block are one store.
class SpareWord {
 public:
  constexpr explicit SpareWord(std::uint64_t bits) : bits_(bits) {}
  constexpr SpareWord(std::uint64_t gets, bool leased, std::uint32_t block)
      : bits_((gets << (block_bits + 1)) + (static_cast<std::uint64_t>(leased) << block_bits) + block) {}
  constexpr std::uint64_t bits() const { return bits_; }
  constexpr std::uint64_t gets() const { return bits_ >> (block_bits + 1); }
  constexpr bool leased() const { return ((bits_ >> block_bits) & 1) != 0; }
  constexpr std::uint32_t block() const { return static_cast<std::uint32_t>(bits_ & (max_blocks - 1)); }
  /// What it is after an operation of that kind has received `block`.
  constexpr SpareWord after(IntentKind kind, std::uint32_t block) const {
    return {gets() + (kind == IntentKind::get ? 1 : 0), kind == IntentKind::lease, block};
  }

 private:
  std::uint64_t bits_;
};

/// How many of a port's gets are over: {lost:20, dones:44}. `dones` counts those that were reported done and
/// those that were lost with their process; `lost`, the latter alone, stops at its largest value.
class FinishedWord {
 public:
  constexpr explicit FinishedWord(std::uint64_t bits) : bits_(bits) {}
  constexpr std::uint64_t bits() const { return bits_; }
  constexpr std::uint64_t dones() const { return bits_ & ticket_mask; }
  constexpr std::uint64_t lost() const { return bits_ >> ticket_bits; }
  constexpr FinishedWord and_done(std::uint64_t count) const { return FinishedWord(bits_ + count); }
  constexpr FinishedWord one_done() const { return and_done(1); }
  constexpr FinishedWord and_lost(std::uint64_t count) const {
    constexpr std::uint64_t most = (std::uint64_t{1} << (64 - ticket_bits)) - 1;
    const std::uint64_t sum = count < most - lost() ? lost() + count : most;
    return FinishedWord((sum << ticket_bits) | (dones() + count));
  }

 private:
  std::uint64_t bits_;
};

/// Gets of a port that nobody has reported done yet.
constexpr std::uint64_t outstanding(SpareWord spare, FinishedWord finished) {
  return (spare.gets() - finished.dones()) & ticket_mask;
}

/// The objects whose handles a message carries: {where their indices are in its payload's memory, in units of
/// 4 bytes:40, how many:24}; 0: none.
class HandleList {
 public:
  constexpr explicit HandleList(std::uint64_t bits) : bits_(bits) {}
  constexpr HandleList(std::uint64_t offset_bytes, std::uint64_t count)
      : bits_((offset_bytes / 4) << 24 | count) {}
  constexpr std::uint64_t bits() const { return bits_; }
  constexpr std::uint64_t offset_bytes() const { return (bits_ >> 24) * 4; }
  constexpr std::uint64_t count() const { return bits_ & max_count; }
  static constexpr std::uint64_t max_count = (std::uint64_t{1} << 24) - 1;

 private:
  std::uint64_t bits_;
};

enum class PortState : std::uint64_t { free = 0, owned = 1, given_back = 2 };

/// Who has a port: {generation:38, deliveries:12, process index:12, state:2}. `deliveries` belongs to a
/// message that was given back: how many times it has been delivered in vain. The generation grows with each
/// change, so a late compare-and-swap fails.
class PortOwner {
 public:
  constexpr explicit PortOwner(std::uint64_t bits) : bits_(bits) {}
  constexpr PortState state() const { return static_cast<PortState>(bits_ & 3); }
  constexpr std::uint32_t process() const { return static_cast<std::uint32_t>(bits_ >> 2) & 0xfff; }
  constexpr std::uint32_t deliveries() const { return static_cast<std::uint32_t>(bits_ >> 14) & 0xfff; }
  constexpr std::uint64_t bits() const { return bits_; }
  constexpr bool is_owned_by(std::uint32_t process) const {
    return state() == PortState::owned && this->process() == process;
  }
  constexpr PortOwner freed() const { return next(PortState::free, 0, 0); }
  constexpr PortOwner claimed_by(std::uint32_t process) const {
    return next(PortState::owned, process, state() == PortState::given_back ? deliveries() : 0);
  }
  constexpr PortOwner given_back() const {
    return next(PortState::given_back, 0, deliveries() + (deliveries() < max_deliveries_counted ? 1 : 0));
  }
  /// What was taken came to nobody, or was nothing that the agent could deal with.
  constexpr PortOwner given_back_unchanged() const { return next(PortState::given_back, 0, deliveries()); }
  /// Its message is gone: what comes next starts from none.
  constexpr PortOwner without_deliveries() const { return next(state(), process(), 0); }

 private:
  constexpr PortOwner next(PortState state, std::uint32_t process, std::uint32_t deliveries) const {
    return PortOwner((((bits_ >> 26) + 1) << 26) | (std::uint64_t{deliveries} << 14) |
                     (std::uint64_t{process} << 2) | static_cast<std::uint64_t>(state));
  }
  std::uint64_t bits_;
};
static_assert(max_processes <= 1U << 12);

/// The journal of a merge (task_account.hpp): {gets of the other port before:45, its number + 1:18}; 0: none.
class MovedWord {
 public:
  constexpr explicit MovedWord(std::uint64_t bits) : bits_(bits) {}
  constexpr MovedWord(std::uint32_t to_port, std::uint64_t gets_before)
      : bits_((gets_before << block_bits) | (to_port + 1)) {}
  constexpr std::uint64_t bits() const { return bits_; }
  constexpr bool active() const { return bits_ != 0; }
  constexpr std::uint32_t to_port() const { return static_cast<std::uint32_t>(bits_ & (max_blocks - 1)) - 1; }
  constexpr std::uint64_t gets_before() const { return bits_ >> block_bits; }

 private:
  std::uint64_t bits_;
};
static_assert(max_ports < max_blocks);

}  // namespace wyvern
