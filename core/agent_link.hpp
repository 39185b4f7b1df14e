#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <wyvern/core/object_reference.hpp>

namespace wyvern {

/// What a new channel shall be. Checked by the agent; names the limits in its errors.
struct ChannelSpec {
  std::uint64_t capacity = 1024;    ///< messages
  std::uint64_t inline_size = 256;  ///< bytes of a payload that are kept in the ring's own blocks
  std::uint64_t max_bytes =
      0;  ///< of all payloads outside the blocks together; 0: a share of the node's ceiling
  std::uint64_t type_hash = 0;
  std::string type_name;  ///< for messages about a wrong type
  std::string name;       ///< unique in the job; empty: none
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
  /// An extent of that size class, owned by the calling process. Throws OutOfMemory.
  virtual std::uint32_t grow_extents(std::uint32_t size_class) = 0;
  /// A hint that the calling process let an object go, which perhaps nobody holds now.
  virtual void object_released(ObjectReference object) noexcept = 0;

 protected:
  AgentLink() = default;
};

}  // namespace wyvern
