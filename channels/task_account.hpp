#pragma once

#include <cstdint>

#include <wyvern/channels/ring.hpp>

/// Which messages are dealt with, for task_done() and join(). A get is counted in the spare word of the port
/// it was made with, in the same store that makes the block the port's own; what is reported done is counted
/// in that port's finished word. So the counts are the process's, by its ports, and survive it: what a dead
/// process had got and not reported is what its ports lack, and counts as lost. A message under a lease
/// counts when the lease is done.
///
/// Invariant: for every port dones <= gets, or it is leased and dones == gets + 1 for the moment in which
/// done() takes effect. Over all ports the dones never exceed the puts, and when they equal them every
/// message is dealt with.
namespace wyvern {

inline std::uint64_t outstanding_gets(const Port& port) {
  return outstanding(SpareWord(port.spare.load(std::memory_order_acquire)),
                     FinishedWord(port.finished.load(std::memory_order_acquire)));
}

/// Counts at most so many of the port's outstanding gets as done, or as lost; how many there were.
std::uint64_t count_done(Port& port, std::uint64_t most);
std::uint64_t count_lost(Port& port, std::uint64_t most);
/// Counts what is outstanding as lost: for the agent, and for a process that lets the channel go.
void count_lost(Port& port);

/// Ends the lease on a port: from its first store on, the message is dealt with and will not come back.
void count_lease_done(Port& port);

/// Gives the outstanding gets of `from` to `to`, both owned and used by nobody but the caller, so that `from`
/// can become free. `from.moved` is the journal by which the agent sees, after a death in between, whether
/// `to` has got them.
void move_outstanding(Port& from, Port& to, std::uint32_t to_number);
/// For the agent: ends a move that a death has split.
void settle_move(const RingView& view, Port& from);

/// Whether everything that was put is done or lost.
bool all_tasks_done(const RingView& view);
/// Messages lost with their takers since the channel was made.
std::uint64_t lost_count(const RingView& view);

}  // namespace wyvern
