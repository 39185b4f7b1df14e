#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <wyvern/core/deadline.hpp>
#include <wyvern/core/member.hpp>

namespace wyvern {

/// Waits until the process with that sequence number on this member's node has ended; its exit status, or
/// nothing when it did not end in time. InvalidArgument if no such process was ever started here. Sleeps;
/// costs no CPU. Any thread.
std::optional<std::int32_t> wait_for_exit(const std::shared_ptr<Member>& member, std::uint32_t sequence,
                                          Deadline deadline);

/// How often names have come to be on this node. Read it before a search for a name that may be in vain.
std::uint32_t name_changes(const Member& member);
/// Waits until `name_changes` is not `seen` any more; false: not in time. Any thread.
bool wait_for_name_change(const std::shared_ptr<Member>& member, std::uint32_t seen, Deadline deadline);

/// For the agent: wakes every thread that sleeps for exactly that interest, and all that run fibers.
void wake_interested(const Segment& segment, std::uint64_t interest);

}  // namespace wyvern
