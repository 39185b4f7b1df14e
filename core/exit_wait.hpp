#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <wyvern/core/deadline.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/wait_limit.hpp>

namespace wyvern {

/// Waits until the process with that sequence number on this member's node has ended; its exit status, or
/// nothing when it did not end in time. InvalidArgument if no such process was ever started here. Sleeps;
/// costs no CPU. Any thread.
std::optional<std::int32_t> wait_for_exit(const std::shared_ptr<Member>& member, std::uint32_t sequence,
                                          Deadline deadline);

/// The same for several processes of this node: the place of one that has ended among them, or nothing when
/// none has before the limit. There is at least one.
std::optional<std::size_t> wait_for_any_exit(const std::shared_ptr<Member>& member,
                                             std::span<const std::uint32_t> sequences,
                                             const WaitLimit& limit);

/// How often names have come to be on this node. Read it before a search for a name that may be in vain.
std::uint32_t name_changes(const Member& member);
/// Waits until `name_changes` is not `seen` any more; false: not in time. Any thread.
bool wait_for_name_change(const std::shared_ptr<Member>& member, std::uint32_t seen, Deadline deadline);

/// For the agent: wakes every thread that sleeps until a name comes to be, and all that run fibers.
void wake_who_waits_for_names(const Segment& segment);
/// The same for those who wait until that process, or any, has ended.
void wake_who_waits_for_exit(const Segment& segment, std::uint32_t sequence);

}  // namespace wyvern
