#include <wyvern/channels/settle.hpp>

namespace wyvern {
namespace {

/// The slot a ticket belongs to. An intent keeps its ticket modulo 2^44; the hints are kept whole and at most
/// two days of operations away from it, so the nearest number with those low bits is the one.
std::uint32_t slot_of(const RingView& view, std::uint64_t ticket) {
  const Position tail(view.header().tail.load(std::memory_order_acquire));
  const std::uint64_t near = tail.ticket(view.capacity());
  const std::uint64_t whole = near + static_cast<std::uint64_t>(difference_modulo_ticket(ticket, near));
  return static_cast<std::uint32_t>(whole % view.capacity());
}

/// Whether `other` is about to receive, or has received, what the dead operation left in its slot: a taker of
/// the very message that the dead one put, or the putter of the next lap for the free block that the dead
/// taker left. Any other ticket is an old intent about the same block and proves nothing.
bool receives_from(const RingView& view, IntentWord other, IntentWord dead, std::uint32_t offered) {
  if (other.kind() == IntentKind::none || other.block() != offered || other.takes() == dead.takes())
    return false;
  const std::uint64_t expected = dead.takes() ? dead.ticket() + view.capacity() : dead.ticket();
  return other.ticket() == (expected & ticket_mask);
}

/// The rule: the dead operation took effect exactly if the block it offered has been seen elsewhere. The
/// order of the looks matters, since the block moves on while we look: slot, then intents, then tag
/// (docs/swap_ring.md).
bool offered_block_seen(const RingView& view, std::uint32_t number, IntentWord dead, std::uint32_t offered) {
  const SlotWord word(view.slot(slot_of(view, dead.ticket())).load(std::memory_order_seq_cst));
  if (word.block() == offered) return true;
  // The number of ports is read after the slot: whoever took the block from it has a port that is counted.
  const std::uint32_t ports = view.header().port_count.load(std::memory_order_seq_cst);
  for (std::uint32_t other = 0; other < ports; ++other) {
    if (other == number) continue;
    if (receives_from(view, IntentWord(view.port(other).intent.load(std::memory_order_seq_cst)), dead,
                      offered))
      return true;
  }
  return view.block(offered).tag.load(std::memory_order_seq_cst) != number;
}

/// A lease is done when its done() has counted it; its port may not have got to say so.
void settle_done(Port& port) {
  const SpareWord spare(port.spare.load(std::memory_order_relaxed));
  const FinishedWord finished(port.finished.load(std::memory_order_acquire));
  if (!spare.leased() || outstanding(spare, finished) == 0) return;
  port.spare.store(SpareWord(spare.gets() + 1, false, spare.block()).bits(), std::memory_order_release);
}

}  // namespace

bool took_effect(const RingView& view, std::uint32_t number, IntentWord intent, SpareWord spare) {
  // An intent for the block that the port has was carried out, and is in flight no more.
  return intent.kind() != IntentKind::none && spare.block() != intent.block() &&
         offered_block_seen(view, number, intent, spare.block());
}

void settle_port(const RingView& view, std::uint32_t number) {
  Port& port = view.port(number);
  const IntentWord intent(port.intent.load(std::memory_order_acquire));
  const SpareWord spare(port.spare.load(std::memory_order_acquire));
  if (took_effect(view, number, intent, spare)) {
    view.block(intent.block()).tag.store(number, std::memory_order_release);
    port.spare.store(spare.after(intent.kind(), intent.block()).bits(), std::memory_order_release);
  }
  port.intent.store(0, std::memory_order_release);
  settle_done(port);
}

}  // namespace wyvern
