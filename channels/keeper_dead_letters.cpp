#include <cstring>

#include <wyvern/channels/given_back.hpp>
#include <wyvern/channels/keeper.hpp>
#include <wyvern/channels/payload.hpp>
#include <wyvern/channels/ring_operations.hpp>
#include <wyvern/channels/task_account.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/object_hold.hpp>

// Messages that were delivered too often in vain, and their way into the queue for dead letters. The agent
// alone moves them: it cannot die in between without its node.
namespace wyvern {

void Keeper::move_dead_letters(const RingView& view) {
  if (view.header().max_deliveries == 0) return;
  bool moved = false;
  while (const auto letter = take_over_dead_letter(view, agent_process_index)) {
    auto& owner = letter->port->owner;
    if (!move_dead_letter(view, *letter)) {
      // No room: it stays, and a later sweep tries again.
      owner.store(PortOwner(owner.load(std::memory_order_relaxed)).given_back_unchanged().bits(),
                  std::memory_order_seq_cst);
      break;
    }
    release_payload(view, letter->spare().block());
    owner.store(PortOwner(owner.load(std::memory_order_relaxed)).freed().bits(), std::memory_order_seq_cst);
    moved = true;
  }
  if (!moved) return;
  view.header().joiners.wake_all(segment_);
  if (view.header().closing.load(std::memory_order_seq_cst) != 0) view.header().getters.wake_all(segment_);
}

/// False: no room now. A letter for a queue that is closed is lost, and counts so.
bool Keeper::move_dead_letter(const RingView& from, const BorrowedPort& letter) {
  const RingView to = view_of(from.header().dead_letters_object);
  const auto count = [&letter] { count_lease_done(*letter.port); };
  const auto lose = [&letter] {
    const SpareWord spare = letter.spare();
    letter.port->spare.store(SpareWord(spare.gets() + 1, false, spare.block()).bits(),
                             std::memory_order_release);
    count_lost(*letter.port);
  };
  if (to.header().closing.load(std::memory_order_seq_cst) != 0) {
    lose();
    return true;
  }
  if (!ring::has_room_or_end(to)) return false;
  const auto port = claim_port(to);
  if (!port) return false;
  const std::uint32_t block = port->spare().block();
  RingOutcome outcome = RingOutcome::full;
  if (copy_message(from, spare_block(from, letter), to, block)) {
    outcome = ring::put(to, *port);
    if (outcome != RingOutcome::done) release_payload(to, block);
  }
  port->port->owner.store(PortOwner(port->port->owner.load(std::memory_order_relaxed)).freed().bits(),
                          std::memory_order_seq_cst);
  if (outcome == RingOutcome::full) return false;
  if (outcome == RingOutcome::closed) {
    lose();
  } else {
    count();
    to.header().getters.wake_some(segment_, 1);
  }
  return true;
}

std::optional<BorrowedPort> Keeper::claim_port(const RingView& view) {
  const ObjectReference channel{.id = ObjectId(view.header().id), .index = view.header().object};
  try {
    grow_ports(channel);  // unless one is free
  } catch (const OutOfMemory&) {
    return std::nullopt;
  }
  const std::uint32_t ports = view.header().port_count.load(std::memory_order_relaxed);
  for (std::uint32_t number = 0; number < ports; ++number) {
    Port& port = view.port(number);
    std::uint64_t seen = port.owner.load(std::memory_order_acquire);
    if (PortOwner(seen).state() == PortState::free &&
        port.owner.compare_exchange_strong(seen, PortOwner(seen).claimed_by(agent_process_index).bits(),
                                           std::memory_order_seq_cst))
      return BorrowedPort{&port, number};
  }
  return std::nullopt;
}

/// The message with its handles into a block of another channel, whose port is ours; false: no memory now.
bool Keeper::copy_message(const RingView& from, BlockHeader& source, const RingView& to,
                          std::uint32_t block) {
  const HandleList list(source.handles.load(std::memory_order_relaxed));
  const std::uint64_t bytes = message_bytes(source.length, list.count());
  if (bytes > to.inline_size() && !give_payload(to, block, bytes)) return false;
  BlockHeader& target = to.block(block);
  std::memcpy(payload_memory(to, target), payload_memory(from, source), bytes);
  target.length = source.length;
  if (list.count() != 0) to.header().carries_handles.store(1, std::memory_order_seq_cst);
  target.handles.store(list.bits(), std::memory_order_seq_cst);
  return true;
}

/// An extent for a block of ours.
bool Keeper::give_payload(const RingView& to, std::uint32_t block, std::uint64_t bytes) {
  const auto size_class = extent_class_for(bytes);
  if (!size_class || !expect_payload(to, *size_class)) return false;
  try {
    extents_.claim(*size_class, to.block(block).extent, block_identity(to.header().object, block));
  } catch (const OutOfMemory&) {
    return false;
  }
  return keep_payload(to, block);
}

}  // namespace wyvern
