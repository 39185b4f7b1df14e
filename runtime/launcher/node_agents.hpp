#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <wyvern/runtime/agent/bring_up.hpp>
#include <wyvern/runtime/launcher/options.hpp>
#include <wyvern/runtime/protocol/packet.hpp>
#include <wyvern/runtime/protocol/seqpacket.hpp>

namespace wyvern::launcher {

/// The agents of a job's nodes, children of this process. All that other nodes print, the agent of node 1
/// forwards. Nodes count from 1.
class NodeAgents {
 public:
  /// Makes them; they come up by themselves, with networks from `open_network` if there are several. Throws
  /// NodeLost, OutOfMemory.
  NodeAgents(const RunOptions& options, const agent::HeadCommand& head,
             const agent::NetworkFactory& open_network);

  std::uint32_t count() const { return static_cast<std::uint32_t>(agents_.size()); }
  /// The socket to that agent; -1 once its connection has ended.
  int socket(std::uint32_t node) const { return agents_.at(node - 1).socket.get(); }

  template <class Message>
  void send(std::uint32_t node, const Message& message) {
    control::send_message(socket(node), message);
  }
  template <class Message>
  void send_all(const Message& message) {
    for (std::uint32_t node = 1; node <= count(); ++node) send(node, message);
  }
  /// The next packet from that agent, if there is one. The connection is closed here once it has ended.
  control::Transfer receive(std::uint32_t node, control::Packet& packet);
  /// Until something has come from an agent or on that descriptor.
  void wait(int descriptor, Deadline deadline) const;

  /// SIGKILL to that agent; its processes die with it.
  void kill(std::uint32_t node);
  /// What processes of an agent that has died had started is ours now, and ends. To be called after SIGCHLD.
  void end_orphans();
  /// Ends all connections, gives agents a moment to end themselves, and ends what is left then.
  void end_all();

 private:
  std::vector<agent::LaunchedAgent> agents_;
};

}  // namespace wyvern::launcher
