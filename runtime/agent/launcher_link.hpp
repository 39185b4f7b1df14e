#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <vector>

#include <wyvern/runtime/agent/event_loop.hpp>
#include <wyvern/runtime/protocol/packet.hpp>

namespace wyvern::agent {

/// The agent's end of its connection to the launcher. Never waits for the launcher: what it does not take is
/// sent later, in order. Used by the agent's thread only.
class LauncherLink {
 public:
  /// What the launcher says; see the messages.
  struct Hooks {
    std::function<void(const control::SignalJob&)> signal_job;
    /// Where all nodes are reached, node 1's address first.
    std::function<void(std::vector<std::vector<std::byte>> addresses)> nodes_ready;
    std::function<void()> head_returned;
    std::function<void(bool kill)> end_node;
    std::function<void()> others_ended;
    std::function<void()> lost;
  };

  /// Over a socket that stays the caller's and open.
  LauncherLink(EventLoop& loop, int socket, Hooks hooks);

  /// Throws InvalidArgument if the address is too long.
  void send_ready(std::span<const std::byte> address);
  void send_awaited(bool any);
  void send_job_ends(bool kill);
  void send_head_returned();
  void send_job_over(std::int32_t status);

 private:
  template <class Message>
  void send(const Message& message);
  void watch();
  void flush();
  void receive();
  void add_address(const control::NodeAddress& message);

  EventLoop& loop_;
  int socket_;
  Hooks hooks_;
  EventLoop::Watch watch_;  // none: the launcher has gone
  std::deque<std::vector<std::byte>> unsent_;
  std::vector<std::vector<std::byte>> addresses_;  // so far
};

}  // namespace wyvern::agent
