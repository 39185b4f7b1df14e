#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <wyvern/channels/keeper.hpp>
#include <wyvern/core/agent_link.hpp>
#include <wyvern/runtime/agent/event_loop.hpp>
#include <wyvern/runtime/agent/job_names.hpp>

namespace wyvern::agent {

/// The way to the agent for a member that is a thread of its process: calls are carried out by the agent's
/// thread, in its loop. For other threads than that. Each call throws NodeLost once the loop is about to end.
class LoopAgentLink : public AgentLink {
 public:
  /// Loop, keeper and names outlive this.
  LoopAgentLink(EventLoop& loop, Keeper& keeper, const JobNames& names, std::uint32_t process_index);

  /// From the loop's thread: calls that wait, and all others, throw from now on.
  void close();
  /// What `network` answers from now on.
  void set_network(NetworkPlan plan);

  /// AgentLink's for the agent itself: Keeper::create_stand_in.
  ObjectReference create_stand_in(std::shared_ptr<void> kept);

  ObjectReference create_channel(const ChannelSpec& spec) override;
  std::optional<ObjectReference> find_object(const std::string& name) override;
  void grow_ports(ObjectReference channel) override;
  void grow_extents(std::uint32_t size_class) override;
  void attend(ObjectReference object) noexcept override;
  std::optional<NetworkPlan> network() override;

 private:
  struct Calls;
  void call(const std::function<void()>& task);

  EventLoop& loop_;
  Keeper& keeper_;
  const JobNames& names_;
  std::uint32_t process_index_;
  std::shared_ptr<Calls> calls_;  // which a task that is posted may outlive this by
  std::mutex network_mutex_;
  std::optional<NetworkPlan> network_;
};

}  // namespace wyvern::agent
