#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <wyvern/transport/peer_address.hpp>
#include <wyvern/transport/remote_read.hpp>

#include "support/child.hpp"
#include "transport/endpoint_path.hpp"

namespace wyvern::test {

/// An endpoint's address, in memory that several processes see.
struct SharedAddress {
  std::span<const std::byte> get() const { return std::span(bytes).first(size); }
  void set(std::span<const std::byte> address);

  std::array<std::byte, max_peer_address_bytes> bytes;
  std::size_t size = 0;
};

/// What a remote peer is told and tells, in memory that both sides see.
struct RemotePeerBoard {
  // What it begins with.
  std::array<char, 32> path{};  ///< its name
  SharedAddress tester;
  SharedAddress former;  ///< empty if it takes nobody's place
  std::size_t message_bytes = 0;
  std::size_t memory_bytes = 0;
  // Told, see set_polls and set_sends.
  std::atomic<bool> polls = true;
  std::atomic<bool> sends = false;  ///< stamped messages, from 0 on, as many as go
  std::atomic<bool> dies = false;   ///< by SIGKILL, between two rounds
  // Tells.
  std::atomic<bool> is_ready = false;  ///< what follows is there
  SharedAddress address;
  RemoteMemory memory;
  std::atomic<std::uint64_t> rounds = 0;  ///< in which it has looked at what it is told
  std::atomic<std::uint64_t> sent = 0;
  std::atomic<std::uint64_t> received = 0;  ///< stamped messages in order, from 0 on
  std::atomic<std::uint64_t> out_of_order = 0;
  std::atomic<std::uint64_t> damaged = 0;
  std::atomic<std::uint64_t> for_somebody_else = 0;
};

struct RemotePeerOptions {
  std::size_t memory_bytes = 0;                      ///< that it has for reads: zeros
  std::optional<PeerAddress> former = std::nullopt;  ///< whose place it takes
  std::size_t message_bytes = 1000;                  ///< of what it sends
};

/// A peer of one endpoint, which the test can tell what to do, and kill. In a process of its own, or on paths
/// that do not reach processes in the test's, at work whenever the test calls `work`. The process is a fork
/// of the test's, which is faster, or where the provider does not work in a fork this program started anew.
class RemotePeer {
 public:
  /// `tester`: the address of the endpoint that it talks to. Returns when it is ready.
  RemotePeer(EndpointPath& path, std::span<const std::byte> tester, const RemotePeerOptions& options = {});
  ~RemotePeer();
  RemotePeer(const RemotePeer&) = delete;
  RemotePeer& operator=(const RemotePeer&) = delete;

  /// Throws std::runtime_error if its process has ended by itself.
  void work();
  /// From its next round on, which this waits for.
  void set_polls(bool polls);
  void set_sends(bool sends);
  /// Wherever it is; where a provider's lock that it holds would hold up others, as soon as it holds none.
  /// What its provider leaves behind stays until the end of this, or the peer's removal.
  void kill();

  const RemotePeerBoard& board() const { return *board_; }
  std::span<const std::byte> address() const { return board_->address.get(); }
  bool is_killed() const { return is_killed_; }
  /// What its process does, until it is killed.
  static int play(RemotePeerBoard& board, EndpointPath& path);
  /// -1 where it is played in the test's process.
  pid_t pid() const { return child_ ? child_->pid() : -1; }

 private:
  class Player;
  struct Unmap {
    void operator()(RemotePeerBoard* board) const;
  };

  void tell(std::atomic<bool> RemotePeerBoard::*what, bool value);

  EndpointPath& path_;
  std::unique_ptr<RemotePeerBoard, Unmap> board_;
  std::optional<Child> child_;
  std::unique_ptr<Player> player_;
  bool is_killed_ = false;
};

/// If this program was started as a remote peer, it is one until it is killed, or returns its exit status.
std::optional<int> play_if_remote_peer(int argc, char** argv);

/// Of a process; "self" is this one.
std::uint64_t resident_bytes(const std::string& process);

}  // namespace wyvern::test
