#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/transport/endpoint.hpp>
#include <wyvern/transport/peer_address.hpp>
#include <wyvern/transport/peer_index.hpp>
#include <wyvern/transport/read_schedule.hpp>

namespace wyvern {

class LoopbackEndpoint;

/// What becomes of what others have sent to an endpoint that is dead, and asked of it.
enum class LoopbackDeath : std::uint8_t {
  /// Nothing: sends are taken until as many are outstanding as may be, then they are to be repeated for ever;
  /// reads do not end. As when a machine loses its network.
  silent,
  /// It fails, and so does each further send. As when a process ends and its machine says so.
  refused
};

/// How a LoopbackNetwork and the endpoints in it behave.
struct LoopbackSettings {
  std::uint64_t seed = 1;  ///< of the epochs and keys
  LoopbackDeath death = LoopbackDeath::silent;
  std::size_t largest_message = 8192;
  std::uint32_t most_sends = 256;  ///< outstanding of an endpoint: sent, and not yet polled by the receiver
  std::uint64_t piece_bytes = std::uint64_t{1} << 20;  ///< of remote reads
  std::size_t most_events = 16;                        ///< that a poll deals with
  bool has_descriptor = true;
  bool reads_into_registered_memory_only = false;
};

/// A network within this process, for tests of what stands on endpoints: what happens depends on nothing but
/// the order of the calls, and the seed. Thread-compatible only: one thread uses it and all its endpoints. It
/// outlives them.
class LoopbackNetwork {
 public:
  explicit LoopbackNetwork(const LoopbackSettings& settings = {})
      : settings_(settings), random_(settings.seed) {}
  LoopbackNetwork(const LoopbackNetwork&) = delete;
  LoopbackNetwork& operator=(const LoopbackNetwork&) = delete;

  /// As if its process was killed: it says nothing to anybody any more, polls nothing, and sends are
  /// `retry`. The same happens when an endpoint is destroyed. Its place is free for another one, which gets
  /// what is still under way to it.
  void kill(LoopbackEndpoint& endpoint);

 private:
  friend LoopbackEndpoint;
  struct Place;

  struct Message {
    std::vector<std::byte> bytes;
    bool is_beat = false;
  };
  /// A message was polled, or could not be brought to its receiver.
  struct SendEnd {
    bool is_beat = false;
    int error = 0;
  };
  struct PieceRequest {
    ReadPiece* piece = nullptr;  // the reader's: comes back with the answer
    RemoteMemory memory;
  };
  struct PieceAnswer {
    ReadPiece* piece = nullptr;
    int error = 0;
    std::vector<std::byte> bytes;
  };
  using Content = std::variant<Message, SendEnd, PieceRequest, PieceAnswer>;
  struct Packet {
    std::uint64_t sender = 0;  // epoch
    std::uint64_t receiver = 0;
    Place* origin = nullptr;  // of the sender
    PeerNumber peer = 0;      // of the one that gets the answer, or this is the answer for
    Content content;
  };
  /// Where an endpoint is, or was, or will be.
  struct Place {
    LoopbackEndpoint* endpoint = nullptr;
    std::deque<Packet> packets;  // in the order in which they were sent
  };

  Place& place(const std::vector<std::byte>& name) { return places_[name]; }
  bool refuses(const Place& place) const {
    return place.endpoint == nullptr && settings_.death == LoopbackDeath::refused;
  }
  void put(Place& to, Packet packet);
  /// Tells who has sent something, or asked for it, what became of that.
  void answer(const Packet& packet, Content content);
  /// So that it ends as failed.
  void refuse(const Packet& packet);

  LoopbackSettings settings_;
  std::mt19937_64 random_;
  std::uint64_t endpoints_made_ = 0;
  std::map<std::vector<std::byte>, Place> places_;  // an entry stays where it is
};

/// An endpoint of a LoopbackNetwork; behaves as a provider on which everything takes a poll of both sides:
///  - A send is outstanding until the receiver has polled it and the sender has polled that; a peer may have
///    as many outstanding as there are free ones left, so that one that does not poll leaves room.
///  - A piece of a read moves when its owner polls, and is there with the reader's next poll.
///  - What was sent to a peer that is removed, and was not polled, is lost.
class LoopbackEndpoint : public Endpoint {
 public:
  /// `name`: its place; empty: one where nobody was before. Throws InvalidArgument if somebody is there.
  explicit LoopbackEndpoint(LoopbackNetwork& network, const std::string& name = {});
  ~LoopbackEndpoint() override;

  const std::vector<std::byte>& address() const override { return address_bytes_; }
  std::size_t largest_message() const override { return settings().largest_message; }
  const EndpointCounters& counters() const override { return counters_; }

  PeerNumber add_peer(std::span<const std::byte> address) override;
  void remove_peer(PeerNumber peer) override;

  SendOutcome send(PeerNumber to, std::span<const std::byte> message) override;
  SendOutcome send_beat(PeerNumber to) override;
  std::uint64_t heard_from(PeerNumber peer) const override;

  std::unique_ptr<RegisteredMemory> register_memory(std::span<std::byte> memory) override;
  bool reads_into_registered_memory_only() const override {
    return settings().reads_into_registered_memory_only;
  }
  void read(RemoteRead& read) override;

  std::size_t poll(EndpointHandler& handler) override;
  int descriptor() const override { return descriptor_.get(); }
  bool may_sleep() override;

 private:
  friend LoopbackNetwork;
  class Region;
  struct Peer {
    std::uint64_t epoch = 0;
    LoopbackNetwork::Place* place = nullptr;
    std::uint32_t outstanding = 0;  // sends
    bool beat_is_under_way = false;
    bool is_there = false;
    std::uint64_t heard = 0;
  };

  const LoopbackSettings& settings() const { return network_.settings_; }
  const Peer& peer_at(PeerNumber peer) const;
  Peer& peer_at(PeerNumber peer) { return const_cast<Peer&>(std::as_const(*this).peer_at(peer)); }
  SendOutcome send_content(PeerNumber to, LoopbackNetwork::Message message);
  void put(PeerNumber to, LoopbackNetwork::Content content);
  void withdraw_sends(PeerNumber peer);
  void begin_pieces();
  void signal();
  void reset_signal();

  using Packet = LoopbackNetwork::Packet;
  void deal_with(const Packet& packet, const LoopbackNetwork::Message& message, EndpointHandler& handler);
  void deal_with(const Packet& packet, const LoopbackNetwork::SendEnd& end, EndpointHandler& handler);
  void deal_with(const Packet& packet, const LoopbackNetwork::PieceRequest& request,
                 EndpointHandler& handler);
  void deal_with(const Packet& packet, const LoopbackNetwork::PieceAnswer& answer, EndpointHandler& handler);

  LoopbackNetwork& network_;
  LoopbackNetwork::Place* place_ = nullptr;  // null: it is dead
  std::uint64_t epoch_;
  std::vector<std::byte> address_bytes_;
  FileDescriptor descriptor_;
  std::vector<Peer> peers_;
  PeerIndex peers_by_epoch_;
  std::unordered_map<std::uint64_t, std::span<std::byte>> regions_;  // by key
  std::uint32_t outstanding_ = 0;                                    // sends
  ReadSchedule reads_;
  EndpointCounters counters_;
};

}  // namespace wyvern
