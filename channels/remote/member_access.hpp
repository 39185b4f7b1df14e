#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include <wyvern/channels/remote/remote_access.hpp>
#include <wyvern/core/member.hpp>

namespace wyvern {

/// The member's way to the other nodes of its job, made when it is first needed, and the member's own. `node`
/// is the one that somebody wants to reach: NodeLost if the job has no such node. Throws FabricError,
/// NotFound (no such provider), and what AgentLink::network throws. Thread-safe.
RemoteAccess& remote_access(const std::shared_ptr<Member>& member, std::uint32_t node);
/// RemoteAccess::leave, if the member has anything to do with other nodes.
void leave_network(Member& member,
                   std::chrono::milliseconds farewell = RemoteAccess::longest_farewell) noexcept;

}  // namespace wyvern
