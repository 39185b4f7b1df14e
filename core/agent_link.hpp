#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <wyvern/core/job_key.hpp>
#include <wyvern/core/object_reference.hpp>

namespace wyvern {

/// Messages that a process of another node puts into a channel ahead of its home's answers, unless a channel
/// is made with another number: a round trip's worth of small ones.
inline constexpr std::uint32_t default_window = 2048;

/// What a new channel shall be. Checked by the agent; names the limits in its errors.
struct ChannelSpec {
  std::uint64_t capacity = 1024;    ///< messages
  std::uint64_t inline_size = 256;  ///< bytes of a payload that are kept in the ring's own blocks
  std::uint64_t max_bytes =
      0;  ///< of all payloads outside the blocks together; 0: a share of the node's ceiling
  std::uint64_t type_hash = 0;
  std::uint32_t max_deliveries = 0;  ///< of a message by lease; 0: no limit
  std::uint32_t window = default_window;
  std::uint32_t prefetch = 0;  ///< messages that a process of another node gets before it asks for them
  ObjectReference dead_letters = {};  ///< the channel that gets what was delivered so often in vain
  std::string type_name = {};         ///< for messages about a wrong type
  std::string name = {};              ///< unique in the job; empty: none
};

/// How a process reaches the nodes of its job that are not its own.
struct NetworkPlan {
  std::string provider;  ///< of libfabric
  JobKey key;
  /// Of the homes, that of node n at n - 1.
  std::vector<std::vector<std::byte>> addresses;
};

/// What a process can ask of its node's agent. One round trip each, at most `agent_answer_limit`; NodeLost
/// when the agent is gone or silent. Callable from any thread. None of this is on the path of a put or get
/// that finds what it needs.
class AgentLink {
 public:
  virtual ~AgentLink() = default;
  AgentLink(const AgentLink&) = delete;
  AgentLink& operator=(const AgentLink&) = delete;

  /// Makes a channel that the calling process holds. Throws InvalidArgument, OutOfMemory.
  virtual ObjectReference create_channel(const ChannelSpec& spec) = 0;
  /// The object of that name, held by the calling process from now on; nothing if there is none.
  virtual std::optional<ObjectReference> find_object(const std::string& name) = 0;
  /// Adds ports and blocks to a channel. Throws OutOfMemory.
  virtual void grow_ports(ObjectReference channel) = 0;
  /// Sees to it that there is a free extent of that size class. Throws OutOfMemory.
  virtual void grow_extents(std::uint32_t size_class) = 0;
  /// A hint that the agent has something to do for an object: perhaps nobody holds it now, or a message of it
  /// is due for the dead letters.
  virtual void attend(ObjectReference object) noexcept = 0;
  /// Nothing: the job has one node. The same for all calls.
  virtual std::optional<NetworkPlan> network() = 0;

 protected:
  AgentLink() = default;
};

}  // namespace wyvern
