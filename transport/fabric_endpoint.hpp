#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include <wyvern/transport/fabric_setup.hpp>
#include <wyvern/transport/peer_address.hpp>

namespace wyvern {

/// A peer of one endpoint, from add_peer on; never given to another one.
using PeerNumber = std::uint32_t;

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
};

/// Who is told what an endpoint's poll finds. Must not throw, nor poll the same endpoint.
class EndpointHandler {
 public:
  virtual ~EndpointHandler() = default;
  /// The bytes are there until this returns; they are not aligned.
  virtual void message(PeerNumber from, std::span<const std::byte> bytes) = 0;
  /// A message that was sent did not arrive, and nobody knows what became of those after it. Of small
  /// messages providers need not say it.
  virtual void send_failed(PeerNumber to, int fabric_errno) = 0;
};

/// Sends messages to peers and receives theirs: reliably, and in order for each peer, as long as both live.
/// Nothing is queued here: a send that has to be repeated has not happened, so order is what the caller makes
/// of it. A message names the endpoint that sent it and the one that it is for by their epochs; what comes
/// from an endpoint that is not a peer, or is for one that was at this place before, is counted and dropped.
///
/// All but the constructor and peers' comings and goings is without allocation. For one thread at a time.
/// Messages move, also those that come, only while somebody polls.
class FabricEndpoint {
 public:
  /// Throws FabricError; NotFound if there is no such provider.
  explicit FabricEndpoint(const EndpointOptions& options = {});
  ~FabricEndpoint();
  FabricEndpoint(const FabricEndpoint&) = delete;
  FabricEndpoint& operator=(const FabricEndpoint&) = delete;

  /// For the other side's add_peer.
  const std::vector<std::byte>& address() const { return address_bytes_; }
  const ProviderTraits& traits() const { return *objects_.traits; }
  /// Why this provider, a line for each that there is.
  const std::string& explanation() const { return objects_.explanation; }
  /// Bytes of a message.
  std::size_t largest_message() const { return largest_payload_; }
  const EndpointCounters& counters() const { return counters_; }

  /// Throws DecodeError, VersionMismatch, FabricError; InvalidArgument if that endpoint is a peer already.
  PeerNumber add_peer(std::span<const std::byte> address);
  /// Its messages are dropped from now on; what a process that was killed has left of a shm endpoint is
  /// removed. InvalidArgument for a number that is no peer.
  void remove_peer(PeerNumber peer);

  /// Throws TooLarge, InvalidArgument (no such peer).
  SendOutcome send(PeerNumber to, std::span<const std::byte> message);
  /// Deals with what has come, at most some messages; how many events there were.
  std::size_t poll(EndpointHandler& handler);

  /// Becomes readable when a poll may find something; -1: the provider has none.
  int descriptor() const { return objects_.descriptor; }
  /// Right before sleeping on the descriptor, after a poll that found nothing: false means poll again.
  bool may_sleep();

 private:
  /// So that the destructor puts things in order also when the rest of the constructor throws.
  explicit FabricEndpoint(FabricObjects objects);
  enum class BufferKind : std::uint8_t { receive, send };
  struct Buffer;
  /// What libfabric gives back with a completion: it begins with memory of its own.
  struct Context {
    fi_context2 fabric;
    Buffer* buffer;
  };
  struct Buffer {
    Context context{};
    BufferKind kind = BufferKind::send;
    PeerNumber peer = 0;     // of a send
    bool is_posted = false;  // of a receive buffer
    FabricObject<fid_mr> region;
    std::span<std::byte> memory;
    void* description() const { return region == nullptr ? nullptr : ::fi_mr_desc(region.get()); }
  };
  struct FreePages {
    void operator()(std::byte* memory) const;
  };
  using Pages = std::unique_ptr<std::byte, FreePages>;
  struct Peer {
    PeerAddress address;
    fi_addr_t fabric_address = FI_ADDR_UNSPEC;
    bool is_there = false;
  };

  static Pages allocate(std::size_t bytes);
  void check_name(const PeerAddress& other) const;
  Peer& peer_at(PeerNumber peer);
  void post(Buffer& buffer);
  std::size_t write(std::span<std::byte> to, const Peer& peer, std::span<const std::byte> message) const;
  SendOutcome outcome_of(std::int64_t result);
  void complete(const fi_cq_data_entry& entry, EndpointHandler& handler);
  void complete_with_error(EndpointHandler& handler);
  void receive(std::span<const std::byte> bytes, EndpointHandler& handler);

  static constexpr std::size_t receive_buffers = 2;

  Pages memory_;  // of all buffers; outlives what is registered in it
  std::vector<Buffer> sends_;
  std::vector<Buffer*> free_sends_;
  std::array<Buffer, receive_buffers> receives_;
  std::span<std::byte> scratch_;  // for messages that the provider copies
  FabricObjects objects_;
  PeerAddress address_;
  std::vector<std::byte> address_bytes_;
  std::size_t largest_payload_;
  std::size_t inject_bytes_;
  std::vector<Peer> peers_;
  std::unordered_map<std::uint64_t, PeerNumber> peers_by_epoch_;
  EndpointCounters counters_;
};

}  // namespace wyvern
