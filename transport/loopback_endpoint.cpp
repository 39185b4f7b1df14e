#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/fabric_error.hpp>
#include <wyvern/transport/loopback_endpoint.hpp>

namespace wyvern {
namespace {

constexpr const char* provider_name = "loopback";

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

void LoopbackNetwork::put(Place& to, Packet packet) {
  const bool is_answer =
      std::holds_alternative<SendEnd>(packet.content) || std::holds_alternative<PieceAnswer>(packet.content);
  if (to.endpoint == nullptr && is_answer) return;  // whoever has asked is dead
  to.packets.push_back(std::move(packet));
  if (to.endpoint != nullptr && to.packets.size() == 1) to.endpoint->signal();
}

void LoopbackNetwork::answer(const Packet& packet, Content content) {
  put(*packet.origin, {.sender = packet.receiver,
                       .receiver = packet.sender,
                       .origin = nullptr,
                       .peer = packet.peer,
                       .content = std::move(content)});
}

void LoopbackNetwork::refuse(const Packet& packet) {
  if (const auto* message = std::get_if<Message>(&packet.content)) {
    answer(packet, SendEnd{.is_beat = message->is_beat, .error = ENOTCONN});
  } else if (const auto* request = std::get_if<PieceRequest>(&packet.content)) {
    answer(packet, PieceAnswer{.piece = request->piece, .error = ENOTCONN, .bytes = {}});
  }
}

void LoopbackNetwork::kill(LoopbackEndpoint& endpoint) {
  Place* place = std::exchange(endpoint.place_, nullptr);
  if (place == nullptr) return;
  place->endpoint = nullptr;
  if (!refuses(*place)) return;
  for (const Packet& packet : std::exchange(place->packets, {})) refuse(packet);
}

class LoopbackEndpoint::Region final : public RegisteredMemory {
 public:
  Region(LoopbackEndpoint& endpoint, std::span<std::byte> memory, const RemoteMemory& remote)
      : RegisteredMemory(memory, remote), endpoint_(endpoint) {
    endpoint_.regions_.emplace(remote.key, memory);
  }
  ~Region() override { endpoint_.regions_.erase(remote().key); }

 private:
  LoopbackEndpoint& endpoint_;
};

LoopbackEndpoint::LoopbackEndpoint(LoopbackNetwork& network, const std::string& name)
    : network_(network), epoch_(network.random_()), reads_(network.settings_.piece_bytes) {
  const std::string unused = "endpoint " + std::to_string(network_.endpoints_made_++);
  const PeerAddress address{
      .provider = provider_name, .epoch = epoch_, .name = bytes_of(name.empty() ? unused : name)};
  address_bytes_ = encode_peer_address(address);
  if (settings().has_descriptor) {
    descriptor_ = FileDescriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!descriptor_) throw FabricError(describe_errno("eventfd", errno), errno);
  }
  LoopbackNetwork::Place& place = network_.place(address.name);
  if (place.endpoint != nullptr) throw InvalidArgument("an endpoint named '" + name + "' lives already");
  place_ = &place;
  place.endpoint = this;
  if (!place.packets.empty()) signal();
}

LoopbackEndpoint::~LoopbackEndpoint() { network_.kill(*this); }

PeerNumber LoopbackEndpoint::add_peer(std::span<const std::byte> address) {
  const PeerAddress other = decode_peer_address(address);
  check_same_protocol(decode_peer_address(address_bytes_), other);
  if (other.name.empty()) throw DecodeError("the address of an endpoint has no name");
  if (peers_by_epoch_.find(other.epoch) != PeerIndex::nobody)
    throw InvalidArgument("add_peer: this endpoint is a peer already; each endpoint is added once");
  const auto number = static_cast<PeerNumber>(peers_.size());
  peers_by_epoch_.add(other.epoch, number);
  peers_.push_back({.epoch = other.epoch, .place = &network_.place(other.name), .is_there = true});
  reads_.peer_added(number);
  return number;
}

void LoopbackEndpoint::remove_peer(PeerNumber number) {
  Peer& peer = peer_at(number);
  reads_.peer_removed(number, ECONNRESET);  // first, because there may be no memory
  peers_by_epoch_.remove(peer.epoch);
  peer.is_there = false;
  withdraw_sends(number);
}

void LoopbackEndpoint::withdraw_sends(PeerNumber number) {
  Peer& peer = peers_[number];
  outstanding_ -= std::exchange(peer.outstanding, 0);
  std::erase_if(peer.place->packets, [&](const Packet& packet) {
    return packet.sender == epoch_ && packet.peer == number &&
           std::holds_alternative<LoopbackNetwork::Message>(packet.content);
  });
}

const LoopbackEndpoint::Peer& LoopbackEndpoint::peer_at(PeerNumber number) const {
  if (number >= peers_.size() || !peers_[number].is_there) {
    throw InvalidArgument("peer " + std::to_string(number) +
                          " is no peer of this endpoint: it was removed, or never added");
  }
  return peers_[number];
}

std::uint64_t LoopbackEndpoint::heard_from(PeerNumber peer) const { return peer_at(peer).heard; }

void LoopbackEndpoint::put(PeerNumber to, LoopbackNetwork::Content content) {
  const Peer& peer = peers_[to];
  network_.put(*peer.place, {.sender = epoch_,
                             .receiver = peer.epoch,
                             .origin = place_,
                             .peer = to,
                             .content = std::move(content)});
}

SendOutcome LoopbackEndpoint::send(PeerNumber to, std::span<const std::byte> message) {
  if (message.size() > largest_message()) {
    throw TooLarge("a message of " + std::to_string(message.size()) +
                   " bytes: a loopback endpoint sends at most " + std::to_string(largest_message()));
  }
  const SendOutcome outcome = send_content(to, {.bytes = {message.begin(), message.end()}, .is_beat = false});
  if (outcome == SendOutcome::done) ++counters_.sent;
  return outcome;
}

SendOutcome LoopbackEndpoint::send_beat(PeerNumber to) {
  Peer& peer = peer_at(to);
  if (peer.beat_is_under_way) return SendOutcome::retry;
  const SendOutcome outcome = send_content(to, {.bytes = {}, .is_beat = true});
  peer.beat_is_under_way = outcome == SendOutcome::done;
  return outcome;
}

SendOutcome LoopbackEndpoint::send_content(PeerNumber to, LoopbackNetwork::Message message) {
  Peer& peer = peer_at(to);
  if (place_ == nullptr) return SendOutcome::retry;
  if (network_.refuses(*peer.place)) {
    ++counters_.failed_sends;
    return SendOutcome::failed;
  }
  if (peer.outstanding >= settings().most_sends - outstanding_) {
    ++counters_.too_many_sends;
    return SendOutcome::retry;
  }
  ++peer.outstanding;
  ++outstanding_;
  put(to, std::move(message));
  return SendOutcome::done;
}

std::unique_ptr<RegisteredMemory> LoopbackEndpoint::register_memory(std::span<std::byte> memory) {
  if (memory.empty()) throw InvalidArgument("register_memory: there is nothing in it");
  const RemoteMemory remote{.address = 0, .key = network_.random_(), .size = memory.size()};
  return std::make_unique<Region>(*this, memory, remote);
}

void LoopbackEndpoint::read(RemoteRead& read) {
  peer_at(read.from());
  reads_.add(read, reads_into_registered_memory_only());
  begin_pieces();
}

void LoopbackEndpoint::begin_pieces() {
  if (place_ == nullptr) return;
  reads_.go_on([this](ReadPiece& piece) {
    const PeerNumber from = piece.read->from();
    if (network_.refuses(*peers_[from].place)) {
      ++counters_.failed_reads;
      return ENOTCONN;
    }
    put(from, LoopbackNetwork::PieceRequest{.piece = &piece, .memory = piece.source()});
    return 0;
  });
}

std::size_t LoopbackEndpoint::poll(EndpointHandler& handler) {
  std::size_t events = 0;
  // The handler may have killed this endpoint, or taken back what somebody sent.
  for (; place_ != nullptr && !place_->packets.empty() && events < settings().most_events; ++events) {
    const Packet packet = std::move(place_->packets.front());
    place_->packets.pop_front();
    std::visit([&](const auto& content) { deal_with(packet, content, handler); }, packet.content);
  }
  if (place_ == nullptr) return events;
  begin_pieces();
  reads_.tell(handler);
  if (place_ != nullptr && place_->packets.empty()) reset_signal();
  return events;
}

void LoopbackEndpoint::deal_with(const Packet& packet, const LoopbackNetwork::Message& message,
                                 EndpointHandler& handler) {
  network_.answer(packet, LoopbackNetwork::SendEnd{.is_beat = message.is_beat, .error = 0});
  if (packet.receiver != epoch_) {
    ++counters_.for_somebody_else;
    return;
  }
  const PeerNumber peer = peers_by_epoch_.find(packet.sender);
  if (peer == PeerIndex::nobody) {
    ++counters_.from_strangers;
    if (!message.is_beat) handler.stranger(message.bytes);
    return;
  }
  ++peers_[peer].heard;
  if (message.is_beat) return;
  ++counters_.received;
  handler.message(peer, message.bytes);
}

void LoopbackEndpoint::deal_with(const Packet& packet, const LoopbackNetwork::SendEnd& end,
                                 EndpointHandler& handler) {
  // Of one that was here before, or to a peer that is none any more.
  if (packet.receiver != epoch_ || !peers_[packet.peer].is_there) return;
  Peer& peer = peers_[packet.peer];
  --peer.outstanding;
  --outstanding_;
  if (end.is_beat) peer.beat_is_under_way = false;
  if (end.error == 0) return;
  ++counters_.failed_sends;
  handler.send_failed(packet.peer, end.error);
}

void LoopbackEndpoint::deal_with(const Packet& packet, const LoopbackNetwork::PieceRequest& request,
                                 EndpointHandler&) {
  LoopbackNetwork::PieceAnswer answer{.piece = request.piece, .error = EACCES, .bytes = {}};
  const RemoteMemory& wanted = request.memory;
  const auto region = regions_.find(wanted.key);
  if (packet.receiver == epoch_ && region != regions_.end()) {
    const std::span<const std::byte> memory = region->second;
    if (wanted.address <= memory.size() && wanted.size <= memory.size() - wanted.address) {
      const auto part = memory.subspan(wanted.address, wanted.size);
      answer.bytes.assign(part.begin(), part.end());
      answer.error = 0;
    }
  }
  network_.answer(packet, std::move(answer));
}

void LoopbackEndpoint::deal_with(const Packet& packet, const LoopbackNetwork::PieceAnswer& answer,
                                 EndpointHandler&) {
  if (packet.receiver != epoch_) return;
  if (answer.error == 0) {
    std::ranges::copy(answer.bytes, answer.piece->destination().begin());
    counters_.bytes_read += answer.bytes.size();
    ++peers_[packet.peer].heard;
  } else {
    ++counters_.failed_reads;
  }
  reads_.completed(*answer.piece, answer.error);
}

bool LoopbackEndpoint::may_sleep() {
  return descriptor_ && (place_ == nullptr || (place_->packets.empty() && !reads_.has_ended()));
}

void LoopbackEndpoint::signal() {
  if (descriptor_) ::eventfd_write(descriptor_.get(), 1);
}

void LoopbackEndpoint::reset_signal() {
  eventfd_t signals = 0;
  if (descriptor_) ::eventfd_read(descriptor_.get(), &signals);
}

}  // namespace wyvern
