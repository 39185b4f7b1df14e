#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <wyvern/transport/remote_read.hpp>

namespace wyvern {

enum class SendOutcome : std::uint8_t {
  done,   ///< on its way; the caller's bytes are its own again
  retry,  ///< nothing has happened: poll, then send it again
  failed  ///< the provider says that the peer cannot be reached
};

/// What has happened since the endpoint was opened.
struct EndpointCounters {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t provider_was_busy = 0;  ///< retries: no room, or the connection is not there yet
  std::uint64_t too_many_sends = 0;     ///< retries: as many sends were outstanding as we allow
  std::uint64_t from_strangers = 0;     ///< messages of endpoints that are no peers, or none any more
  std::uint64_t for_somebody_else = 0;  ///< messages to an endpoint that was here before
  std::uint64_t failed_receives = 0;    ///< events that say that something did not come in
  std::uint64_t malformed = 0;          ///< messages without our header
  std::uint64_t failed_sends = 0;
  std::uint64_t bytes_read = 0;    ///< from memory of peers
  std::uint64_t failed_reads = 0;  ///< pieces of remote reads
};

/// Who is told what an endpoint's poll finds. Must not throw, nor poll the same endpoint or remove peers of
/// it; may send and begin reads.
class EndpointHandler {
 public:
  virtual ~EndpointHandler() = default;
  /// The bytes are there until this returns; they are not aligned.
  virtual void message(PeerNumber from, std::span<const std::byte> bytes) = 0;
  /// A message to this endpoint from one that is no peer, or none any more. Anybody may have sent it: what
  /// shows that he may become a peer has to be in the bytes. It is counted as from a stranger in any case.
  virtual void stranger(std::span<const std::byte> /*bytes*/) {}
  /// A message that was sent did not arrive, and nobody knows what became of those after it. Of small
  /// messages providers need not say it.
  virtual void send_failed(PeerNumber to, int fabric_errno) = 0;
  /// See ReadResult; `fabric_errno` is 0 if the bytes are there.
  virtual void read_ended(RemoteRead& read, ReadResult result, int fabric_errno) = 0;
};

/// Memory that was made ready for transfers: others read it as long as this is there and its key is known to
/// them. The memory outlives this; this goes before its endpoint does.
class RegisteredMemory {
 public:
  RegisteredMemory(const RegisteredMemory&) = delete;
  RegisteredMemory& operator=(const RegisteredMemory&) = delete;
  virtual ~RegisteredMemory() = default;

  std::span<std::byte> bytes() const { return bytes_; }
  bool contains(std::span<const std::byte> part) const {
    if (part.data() < bytes_.data() || part.data() > bytes_.data() + bytes_.size()) return false;
    return part.size() <= bytes_.size() - static_cast<std::size_t>(part.data() - bytes_.data());
  }
  /// For a peer's read, of a part too: see RemoteMemory::part.
  const RemoteMemory& remote() const { return remote_; }

 protected:
  RegisteredMemory(std::span<std::byte> bytes, const RemoteMemory& remote) : bytes_(bytes), remote_(remote) {}

 private:
  std::span<std::byte> bytes_;
  RemoteMemory remote_;
};

/// Sends messages to peers, receives theirs, and reads memory that they have registered: reliably, and
/// messages in order for each peer, as long as both live. Nothing is queued here: a send that has to be
/// repeated has not happened, so order is what the caller makes of it. Messages name the endpoint that sent
/// them and the one that they are for by their epochs; what is for one that was at this place before is
/// counted and dropped, and what comes from an endpoint that is not a peer is told apart.
///
/// Nobody here notices that a peer is gone: see PeerWatch. A peer that takes nothing holds up sends to others
/// only in so far as it keeps some of the buffers.
///
/// Messages and reads move, also those that others have begun, only while somebody polls. For one thread at a
/// time. Peers' comings and goings and registering allocate, and throw OutOfMemory; the rest does not, but
/// for buffers in place of those that wait for the rest of a message.
class Endpoint {
 public:
  Endpoint() = default;
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;
  virtual ~Endpoint() = default;

  /// For the other side's add_peer.
  virtual const std::vector<std::byte>& address() const = 0;
  /// Bytes of a message.
  virtual std::size_t largest_message() const = 0;
  virtual const EndpointCounters& counters() const = 0;

  /// Throws DecodeError, VersionMismatch, FabricError; InvalidArgument if that endpoint is a peer already.
  virtual PeerNumber add_peer(std::span<const std::byte> address) = 0;
  /// For one that has ended or is given up: its messages are dropped from now on, its reads end with the next
  /// polls. InvalidArgument for a number that is no peer.
  virtual void remove_peer(PeerNumber peer) = 0;

  /// Throws TooLarge, InvalidArgument (no such peer).
  virtual SendOutcome send(PeerNumber to, std::span<const std::byte> message) = 0;
  /// A sign of life: the other side's handler is not told of it, and send_failed says as soon as the provider
  /// can tell that the peer did not get it.
  virtual SendOutcome send_beat(PeerNumber to) = 0;
  /// How much came from that peer, beats and bytes that were read included: what does not change is silent.
  virtual std::uint64_t heard_from(PeerNumber peer) const = 0;

  /// For reads by others, and as a destination of own reads. Throws FabricError (the limit of locked memory
  /// is a usual reason).
  virtual std::unique_ptr<RegisteredMemory> register_memory(std::span<std::byte> memory) = 0;
  /// Whether a read's destination has to lie in registered memory.
  virtual bool reads_into_registered_memory_only() const = 0;
  /// Begins to fetch; the handler is told of the end. Any number at a time: they take turns. Throws
  /// InvalidArgument (no such peer, a read that is running, sizes that differ, memory that is not
  /// registered).
  virtual void read(RemoteRead& read) = 0;

  /// Deals with what has come, at most some events; how many there were.
  virtual std::size_t poll(EndpointHandler& handler) = 0;

  /// Becomes readable when a poll may find something; -1: there is none, see EventWait.
  virtual int descriptor() const = 0;
  /// On the descriptor at a time: poll then, where the provider may fail to wake who sleeps.
  virtual std::chrono::milliseconds longest_sleep() const { return std::chrono::hours(1); }
  /// Right before sleeping on the descriptor, after a poll that found nothing: false means poll again.
  virtual bool may_sleep() = 0;
};

}  // namespace wyvern
