#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <wyvern/channels/channel.hpp>
#include <wyvern/channels/keeper.hpp>
#include <wyvern/channels/queue.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/parker.hpp>
#include <wyvern/core/segment.hpp>

namespace wyvern::test {

/// A node without an agent process: a segment and its keeper in the test itself. Members play processes; they
/// may be used by threads of the test or by forked children (which must not need the keeper, see KeeperLink).
class LocalNode {
 public:
  explicit LocalNode(std::uint64_t memory_ceiling = std::uint64_t{256} << 20, std::uint32_t number = 1);

  /// A further "process".
  std::shared_ptr<Member> join();
  /// What the agent does when the kernel has proved a process dead. Handles of that member must not be used,
  /// nor destroyed, any more (see `abandon`).
  void bury(const Member& member);
  /// What the agent does a few times a second: Keeper::sweep.
  bool sweep();
  /// For forked children, which cannot ask the keeper: at least so many ports of a channel, and extents with
  /// room for `bytes`, are free afterwards.
  void provide_ports(const Channel& channel, std::uint32_t count);
  void provide_extents(std::uint64_t bytes, std::uint32_t count);

  /// What the agent tells who asks for the way to other nodes. Before anybody does.
  void connect(const NetworkPlan& plan) { network_ = plan; }
  const std::optional<NetworkPlan>& network() const { return network_; }

  Keeper& keeper() { return keeper_; }
  std::mutex& keeper_mutex() { return mutex_; }
  const Segment& segment() const { return *segment_; }

 private:
  std::shared_ptr<const Segment>
      segment_;  // one mapping for all: the thread sanitizer knows memory by its address
  Keeper keeper_;
  std::mutex mutex_;
  std::optional<NetworkPlan> network_;
};

/// The agent link of a member of a LocalNode: calls the keeper under a mutex. In a forked child it throws
/// NodeLost.
class KeeperLink : public AgentLink {
 public:
  KeeperLink(LocalNode& node, std::uint32_t process);
  ObjectReference create_channel(const ChannelSpec& spec) override;
  std::optional<ObjectReference> find_object(const std::string& name) override;
  void grow_ports(ObjectReference channel) override;
  void grow_extents(std::uint32_t size_class) override;
  void attend(ObjectReference object) noexcept override;
  std::optional<NetworkPlan> network() override { return node_.network(); }

 private:
  void check_same_process() const;
  LocalNode& node_;
  std::uint32_t process_;
  int os_pid_;
};

template <class T>
Queue<T> make_queue(const std::shared_ptr<Member>& member, const QueueOptions& options = {}) {
  return Queue<T>(member, options);
}
/// The same queue as another member sees it.
template <class T>
Queue<T> open_as(const std::shared_ptr<Member>& member, const Queue<T>& queue) {
  return Queue<T>(member, queue.channel().reference());
}

/// Keeps what belongs to a member that will die: its handles must never be destroyed. A leak on purpose.
template <class Handle>
Handle& abandon(Handle handle) {
  static auto* const kept = new std::vector<std::shared_ptr<void>>;  // for the rest of the program
  auto shared = std::make_shared<Handle>(std::move(handle));
  kept->push_back(shared);
  return *shared;
}

/// The payloads in a channel without getting them: those that were given back, then those in the ring, first
/// to last. Nobody may be at work.
std::vector<std::vector<std::byte>> payloads_in(const Segment& segment, const ObjectReference& channel);

/// Waits until `condition()` holds; the watchdog ends what hangs.
template <class Condition>
void wait_for(Condition&& condition) {
  while (!condition()) std::this_thread::yield();
}
/// How many parkers of a node sleep for exactly that interest.
std::uint32_t sleepers(const Segment& segment, InterestKind kind, std::uint64_t number);

/// Checks that every block of a channel is in exactly one place, that blocks without a message name no extent
/// and carry no handles, that every port is free, owned by a process of the table, or given back with a
/// message and no counts of others, that no operation is in flight, and that extents and blocks name each
/// other. An empty string, or what is wrong. Nobody may be at work; leases may be held.
std::string audit(const Segment& segment, const ObjectReference& channel);
/// The same for the extents of a node as a whole, its parkers, permits and waiter sets: nothing belongs to
/// nobody.
std::string audit_node(const Segment& segment);

}  // namespace wyvern::test
