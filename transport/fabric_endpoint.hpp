#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <wyvern/transport/endpoint.hpp>
#include <wyvern/transport/fabric_header.hpp>
#include <wyvern/transport/fabric_memory.hpp>
#include <wyvern/transport/fabric_setup.hpp>
#include <wyvern/transport/peer_address.hpp>
#include <wyvern/transport/peer_index.hpp>
#include <wyvern/transport/read_schedule.hpp>
#include <wyvern/transport/shm_bell.hpp>
#include <wyvern/transport/shm_peer.hpp>

namespace wyvern {

/// An endpoint of libfabric. So many sends are outstanding at most, to a peer at most as many as are free, so
/// that each one that takes nothing leaves half of what was left to the others, and some for beats; what it
/// keeps when it is removed is made up for.
class FabricEndpoint final : public Endpoint {
 public:
  /// Takes some milliseconds, the first one in a process 100 to 300. Throws FabricError, for example in a
  /// fork of a process that has loaded libfabric, with a provider that does not work there; NotFound if there
  /// is no such provider.
  explicit FabricEndpoint(const EndpointOptions& options = {});
  ~FabricEndpoint() override;

  const ProviderTraits& traits() const { return *objects_.traits; }
  /// Why this provider, a line for each that there is.
  const std::string& explanation() const { return objects_.explanation; }

  const std::vector<std::byte>& address() const override { return address_bytes_; }
  std::size_t largest_message() const override { return largest_payload_; }
  const EndpointCounters& counters() const override { return counters_; }

  PeerNumber add_peer(std::span<const std::byte> address) override;
  /// What a process that was killed has left of a shm endpoint is removed, too.
  void remove_peer(PeerNumber peer) override;

  SendOutcome send(PeerNumber to, std::span<const std::byte> message) override;
  SendOutcome send_beat(PeerNumber to) override;
  std::uint64_t heard_from(PeerNumber peer) const override;

  std::unique_ptr<RegisteredMemory> register_memory(std::span<std::byte> memory) override;
  bool reads_into_registered_memory_only() const override { return objects_.needs(FI_MR_LOCAL); }
  void read(RemoteRead& read) override;

  std::size_t poll(EndpointHandler& handler) override;
  int descriptor() const override { return bell_ ? bell_->descriptor() : objects_.descriptor; }
  std::chrono::milliseconds longest_sleep() const override;
  bool may_sleep() override;

 private:
  /// So that the destructor puts things in order also when the rest of the constructor throws.
  explicit FabricEndpoint(FabricObjects objects);

  enum class Kind : std::uint8_t { receive, send, beat, read };
  /// What libfabric gives back with a completion: memory of its own, and what it belongs to.
  struct Operation {
    fi_context2 context{};
    Kind kind = Kind::send;
  };
  struct SendBuffer : Operation {
    PeerNumber peer = 0;
    std::span<std::byte> memory;
    void* description = nullptr;
  };
  /// For many messages, one behind the other.
  struct ReceiveBuffer : Operation {
    std::span<std::byte> memory;
    void* description = nullptr;
    bool is_counted = false;    // in posted_receives_
    bool is_released = false;   // the provider puts no more messages into it
    std::size_t received = 0;   // bytes of the messages that have come
    std::size_t given_out = 0;  // bytes that messages were given, once it is released
  };
  struct ReadOperation : Operation {
    ReadPiece* piece = nullptr;
    PeerNumber peer = 0;
  };
  struct Peer {
    MessageHeader header{};  // of messages to it
    fi_addr_t fabric_address = FI_ADDR_UNSPEC;
    bool is_there = false;
    bool beat_is_under_way = false;
    bool has_ended = false;             // and nothing is to be sent to it any more
    std::uint32_t sends_under_way = 0;  // of which the buffers are not back yet
    std::uint64_t heard = 0;
    std::uint64_t epoch = 0;
    std::optional<ShmPeer> shm;
    std::optional<ShmBellRope> rope;  // there if we have a bell
  };

  /// A call into the provider that is to reach a peer, or a poll.
  template <class Call>
  auto watched(PeerNumber peer, Call call) {
    if (!watchdog_) return call();
    mark_.enter(peer);
    const auto result = call();
    mark_.leave();
    return result;
  }
  /// The same, for what the peer is to be woken by.
  template <class Call>
  auto reach(PeerNumber peer, Call call) {
    const auto result = watched(peer, call);
    if (bell_) peers_[peer].rope->ring_if_armed(*bell_);
    return result;
  }
  [[noreturn]] static void refuse(PeerNumber peer);
  void add_send_buffers(std::size_t count);
  void provide_send_buffers(std::size_t count);
  void check_name(const PeerAddress& other) const;
  void keep_peer(PeerNumber number, const PeerAddress& other, fi_addr_t fabric_address);
  const Peer& peer_at(PeerNumber peer) const {
    if (peer >= peers_.size() || !peers_[peer].is_there) [[unlikely]]
      refuse(peer);
    return peers_[peer];
  }
  Peer& peer_at(PeerNumber peer) { return const_cast<Peer&>(std::as_const(*this).peer_at(peer)); }
  [[noreturn]] void refuse_size(std::size_t bytes) const;
  static std::size_t write(std::span<std::byte> to, const MessageHeader& header,
                           std::span<const std::byte> message);
  SendOutcome outcome_of(std::int64_t result) {
    return result == 0 ? SendOutcome::done : outcome_of_failure(result);
  }
  SendOutcome outcome_of_failure(std::int64_t result);
  SendOutcome send_small(PeerNumber to, const Peer& peer, std::span<const std::byte> message);
  SendOutcome send_buffer(PeerNumber to, Peer& peer, std::span<const std::byte> message);
  SendOutcome begun(Peer& peer, std::int64_t result);
  SendBuffer& take_back(Operation& operation);
  int begin_piece(ReadPiece& piece);
  bool has_receives() const { return posted_receives_ >= objects_.traits->receive_buffers; }
  void post_receives();
  bool post(ReceiveBuffer& buffer);
  ReceiveBuffer& free_receive();
  void completed(ReceiveBuffer& buffer, const fi_cq_data_entry& entry);
  void failed(ReceiveBuffer& buffer, std::uint64_t flags);
  void released(ReceiveBuffer& buffer, std::size_t given_out);
  void free_if_all_came(ReceiveBuffer& buffer);
  void complete(const fi_cq_data_entry& entry, EndpointHandler& handler);
  void complete_read(ReadOperation& operation, int error);
  std::size_t poll_failed(std::int64_t result, EndpointHandler& handler);
  void complete_with_error(EndpointHandler& handler);
  void receive(std::span<const std::byte> bytes, EndpointHandler& handler);

  FabricObjects objects_;
  std::optional<ShmBell> bell_;
  std::deque<MessageMemory> memory_;  // of all buffers
  std::deque<SendBuffer> sends_;
  std::vector<SendBuffer*> free_sends_;
  std::vector<SendBuffer*> spare_sends_;  // given back by peers that were removed
  std::deque<ReceiveBuffer> receives_;
  std::vector<ReceiveBuffer*> free_receives_;
  std::deque<ReceiveBuffer*> unfinished_receives_;  // released, but not all has come; first to last
  std::size_t posted_receives_ = 0;
  std::span<std::byte> scratch_;  // for messages that the provider copies
  std::deque<ReadOperation> read_operations_;
  std::vector<fi_cq_data_entry> completions_;  // read at a time
  ReadSchedule reads_;
  PeerAddress address_;
  std::vector<std::byte> address_bytes_;
  std::size_t largest_payload_;
  std::size_t inject_bytes_;
  std::vector<Peer> peers_;
  PeerIndex peers_by_epoch_;
  EndpointCounters counters_;
  CallMark mark_;
  std::optional<CallWatchdog> watchdog_;
};

}  // namespace wyvern
