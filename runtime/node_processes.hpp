#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <wyvern/core/deadline.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/puid.hpp>
#include <wyvern/core/wait_limit.hpp>
#include <wyvern/runtime/member/socket_agent_link.hpp>
#include <wyvern/runtime/protocol/start_payload.hpp>

/// Processes of the job, on this node and on others: what is to be done to them is asked of their node's
/// agent. Each throws NodeLost if that node is, and what the agent says.
namespace wyvern::node_processes {

/// Where the next process is to run: on this process's node first, and then on one after another.
std::uint32_t next_node(const Member& member);
/// InvalidArgument unless the job has such a node.
void check_node(const Member& member, std::uint32_t node);

/// Starts a process; returns once it executes. `arguments` keeps alive what its references name, until the
/// process holds that itself. Nothing is piped unless it is on this node.
SocketAgentLink::Started start(const std::shared_ptr<Member>& member, std::uint32_t node,
                               const control::StartContent& content, std::shared_ptr<void> arguments);
/// How it ended; nothing: it has not in time.
std::optional<int> wait_for_exit(const std::shared_ptr<Member>& member, Puid process, Deadline deadline);
/// The place among these, which are of that node, of one that has ended; nothing: none has before the limit.
std::optional<std::size_t> wait_for_any_exit(const std::shared_ptr<Member>& member, std::uint32_t node,
                                             std::span<const Puid> processes, const WaitLimit& limit);
void send_signal(const std::shared_ptr<Member>& member, Puid process, int signal);
void detach(const std::shared_ptr<Member>& member, Puid process);

}  // namespace wyvern::node_processes
