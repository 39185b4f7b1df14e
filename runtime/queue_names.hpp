#pragma once

#include <memory>
#include <optional>
#include <string>

#include <wyvern/channels/channel.hpp>
#include <wyvern/core/deadline.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/object_reference.hpp>

/// The names of queues, which are unique in the job. One node keeps them; whether a queue of another one that
/// has a name still is there is asked at its home, when it matters.
namespace wyvern::queue_names {

/// The queue of that name; waits until there is one. Nothing: not in time.
std::optional<ObjectReference> find(const std::shared_ptr<Member>& member, const std::string& name,
                                    Deadline deadline);
/// That queue has gone, or its node: nobody is to find it by its name any more.
void forget(const std::shared_ptr<Member>& member, const std::string& name, const ObjectReference& reference);
/// Before a queue with that name (none: empty) is made on that node: a queue that has gone does not keep the
/// name.
void prepare(const std::shared_ptr<Member>& member, const std::string& name, std::uint32_t node);
/// For a queue that was just made with that name. InvalidArgument: another one has it.
void claim(const std::shared_ptr<Member>& member, const std::string& name, const ObjectReference& reference);

}  // namespace wyvern::queue_names
