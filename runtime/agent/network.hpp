#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <wyvern/channels/keeper.hpp>
#include <wyvern/core/puid.hpp>
#include <wyvern/runtime/agent/event_loop.hpp>
#include <wyvern/runtime/agent/job_names.hpp>
#include <wyvern/runtime/agent/job_processes.hpp>
#include <wyvern/runtime/agent/network_options.hpp>

namespace wyvern::agent {

/// The agent's side of the network between nodes. Used by the agent's thread only.
class Network {
 public:
  Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  virtual ~Network() = default;

  /// Where other nodes reach this one, at most `control::node_address_bytes`; the same from the start.
  virtual std::span<const std::byte> address() const = 0;
  /// Where all nodes are reached, node 1's first and this node's own included. Called once, before the head
  /// of the job starts. What it throws keeps the job from coming to be.
  virtual void set_nodes(std::vector<std::vector<std::byte>> addresses) = 0;
  /// What processes are told of the network, see write_network_plan; -1: nothing.
  virtual int plan() const = 0;
  /// To be called whenever something has happened on the node that a process of another one may wait for.
  virtual void answer_waiting() = 0;
  /// A process of this node has ended and is not to be heard of again; the homes of these nodes (see
  /// node_bit) may miss it.
  virtual void process_ended(Puid process, std::uint64_t homes) = 0;
};

/// What a network has of its agent. All of it outlives the network, and is for the agent's thread only.
struct NetworkSurroundings {
  std::uint32_t node = 0;
  const NetworkOptions& options;
  EventLoop& loop;
  Keeper& keeper;
  JobProcesses& processes;
  JobNames& names;
  std::function<bool()> refuses_starts;
  std::function<void(std::string_view line)> log;
};

/// Opens the network of an agent, in the agent's process; may take some 100 ms. Throws Error, or what
/// Endpoint throws.
using NetworkFactory = std::function<std::unique_ptr<Network>(const NetworkSurroundings& surroundings)>;

}  // namespace wyvern::agent
