#pragma once

#include <cstdint>
#include <optional>

#include <wyvern/channels/ring.hpp>

/// Messages that were leased and came back. Such a message stays in the block of the port it was leased with:
/// giving it back is one store on the port's owner word, which then says GIVEN_BACK and how many deliveries
/// were in vain. The next taker claims the port by one compare-and-swap, message and all, before it looks at
/// the ring. So giving back never waits for room, and no death can split it.
///
/// Invariant: a port that is GIVEN_BACK is leased and balanced (every get counted with it is done), and so
/// brings nobody else's counts along. `given_back` in the channel's header is a hint: raised after the port
/// was given back, cleared only from the value that was read before a look at all ports found none. Who dies
/// or stops between giving back and raising it is mended by the agent.
namespace wyvern {

/// Whether a message that was given back may be there for takers.
inline bool may_be_given_back(const RingView& view) {
  return (view.header().given_back.load(std::memory_order_seq_cst) & 1) != 0;
}

/// Whether somebody had the message that comes back, or it never arrived.
enum class Return : std::uint8_t { in_vain, undelivered };

/// Gives back the leased message of a port that the caller's process owns and raises the hint. Waking a taker
/// is the caller's.
void give_back(const RingView& view, Port& port, Return how);
/// Makes takers look; for who finds a port that was given back without that.
void raise_given_back(const RingView& view);

/// Claims the port of a message that was given back for `process`; nothing if there is none. Messages that
/// are due for the dead letters are passed over.
std::optional<BorrowedPort> take_over(const RingView& view, std::uint32_t process);
/// For the agent: claims one that is due for the dead letters.
std::optional<BorrowedPort> take_over_dead_letter(const RingView& view, std::uint32_t process);

/// Whether a message may still come back: some port holds a lease, or has taken one and not said so yet. For
/// a channel whose end is in the ring; whoever makes it false wakes all who wait for a lease then.
bool any_lease_outstanding(const RingView& view);
/// How many messages lie given back; for tests and displays.
std::uint32_t given_back_count(const RingView& view);
/// Whether some port is GIVEN_BACK, or due for the dead letters.
bool any_given_back(const RingView& view);
bool any_dead_letter(const RingView& view);

}  // namespace wyvern
