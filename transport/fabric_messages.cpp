#include <cstring>
#include <string>

#include <rdma/fi_errno.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/fabric_endpoint.hpp>
#include <wyvern/transport/fabric_error.hpp>
#include <wyvern/transport/fabric_header.hpp>

// What happens for each message of an endpoint.
namespace wyvern {
namespace {

/// Send buffers: peers that hear nothing think that we are gone.
constexpr std::size_t kept_for_beats = 16;

}  // namespace

std::size_t FabricEndpoint::write(std::span<std::byte> to, const MessageHeader& header,
                                  std::span<const std::byte> message) {
  std::memcpy(to.data(), &header, sizeof header);
  if (!message.empty()) std::memcpy(to.data() + sizeof header, message.data(), message.size());
  return sizeof header + message.size();
}

SendOutcome FabricEndpoint::outcome_of_failure(std::int64_t result) {
  if (result == -FI_EAGAIN) {
    ++counters_.provider_was_busy;
    return SendOutcome::retry;
  }
  ++counters_.failed_sends;
  return SendOutcome::failed;
}

SendOutcome FabricEndpoint::send(PeerNumber to, std::span<const std::byte> message) {
  Peer& peer = peer_at(to);
  if (message.size() > largest_payload_) [[unlikely]]
    refuse_size(message.size());
  if (peer.has_ended) [[unlikely]]
    return outcome_of_failure(-FI_ECONNRESET);
  const SendOutcome outcome = sizeof(MessageHeader) + message.size() <= inject_bytes_
                                  ? send_small(to, peer, message)
                                  : send_buffer(to, peer, message);
  if (outcome == SendOutcome::done) ++counters_.sent;
  return outcome;
}

/// By what the provider copies.
SendOutcome FabricEndpoint::send_small(PeerNumber to, const Peer& peer, std::span<const std::byte> message) {
  const std::size_t bytes = write(scratch_, peer.header, message);
  return outcome_of(reach(
      to, [&] { return ::fi_inject(objects_.endpoint.get(), scratch_.data(), bytes, peer.fabric_address); }));
}

SendOutcome FabricEndpoint::send_buffer(PeerNumber to, Peer& peer, std::span<const std::byte> message) {
  if (peer.sends_under_way + kept_for_beats >= free_sends_.size()) {
    ++counters_.too_many_sends;
    return SendOutcome::retry;
  }
  SendBuffer& buffer = *free_sends_.back();
  buffer.kind = Kind::send;
  buffer.peer = to;
  const std::size_t bytes = write(buffer.memory, peer.header, message);
  return begun(peer, reach(to, [&] {
                 return ::fi_send(objects_.endpoint.get(), buffer.memory.data(), bytes, buffer.description,
                                  peer.fabric_address, &buffer.context);
               }));
}

SendOutcome FabricEndpoint::send_beat(PeerNumber to) {
  Peer& peer = peer_at(to);
  if (peer.shm && !peer.has_ended) peer.has_ended = peer.shm->has_ended();
  if (peer.has_ended) return outcome_of_failure(-FI_ECONNRESET);
  // It may hold the lock that a send to it takes.
  if (peer.shm && peer.shm->is_stopped()) return outcome_of_failure(-FI_EAGAIN);
  if (peer.beat_is_under_way) return SendOutcome::retry;
  if (free_sends_.empty()) {
    ++counters_.too_many_sends;
    return SendOutcome::retry;
  }
  SendBuffer& buffer = *free_sends_.back();
  buffer.kind = Kind::beat;
  buffer.peer = to;
  MessageHeader header = peer.header;
  header.magic = beat_magic;
  const iovec memory{.iov_base = buffer.memory.data(), .iov_len = write(buffer.memory, header, {})};
  fi_msg beat{};
  beat.msg_iov = &memory;
  beat.desc = &buffer.description;
  beat.iov_count = 1;
  beat.addr = peer.fabric_address;
  beat.context = &buffer.context;
  const std::uint64_t delivery = objects_.traits->delivery_is_confirmed ? FI_DELIVERY_COMPLETE : 0;
  const SendOutcome outcome = begun(
      peer,
      reach(to, [&] { return ::fi_sendmsg(objects_.endpoint.get(), &beat, delivery | FI_COMPLETION); }));
  peer.beat_is_under_way = outcome == SendOutcome::done;
  return outcome;
}

/// Of the last free buffer: it is the provider's now, if that took it.
SendOutcome FabricEndpoint::begun(Peer& peer, std::int64_t result) {
  if (result != 0) [[unlikely]]
    return outcome_of_failure(result);
  free_sends_.pop_back();
  ++peer.sends_under_way;
  return SendOutcome::done;
}

/// A send is over, one way or the other: the buffer is free, or spare if it was made up for.
FabricEndpoint::SendBuffer& FabricEndpoint::take_back(Operation& operation) {
  auto& buffer = static_cast<SendBuffer&>(operation);
  Peer& peer = peers_[buffer.peer];
  --peer.sends_under_way;
  if (buffer.kind == Kind::beat) peer.beat_is_under_way = false;
  (peer.is_there ? free_sends_ : spare_sends_).push_back(&buffer);
  return buffer;
}

std::size_t FabricEndpoint::poll(EndpointHandler& handler) {
  const std::int64_t read = watched(CallMark::no_peer, [&] {
    return ::fi_cq_read(objects_.completions.get(), completions_.data(), completions_.size());
  });
  std::size_t events = 0;
  if (read > 0) {
    events = static_cast<std::size_t>(read);
    for (std::size_t i = 0; i < events; ++i) complete(completions_[i], handler);
  } else if (read != -FI_EAGAIN) {
    events = poll_failed(read, handler);
  }
  if (bell_ && events != 0) bell_->disarm();
  reads_.go_on([this](ReadPiece& piece) { return begin_piece(piece); });
  reads_.tell(handler);
  // At the end: when it fails, all that has come has been dealt with.
  if (!has_receives()) post_receives();
  return events;
}

/// Out of line: what follows a poll that found an error.
std::size_t FabricEndpoint::poll_failed(std::int64_t result, EndpointHandler& handler) {
  if (result != -FI_EAVAIL) {
    FabricLibrary::get().check(result, "fi_cq_read");
    return 0;
  }
  complete_with_error(handler);
  return 1;
}

void FabricEndpoint::complete(const fi_cq_data_entry& entry, EndpointHandler& handler) {
  if (entry.op_context == nullptr) return;  // of nothing that we have begun
  auto& operation = *static_cast<Operation*>(entry.op_context);
  switch (operation.kind) {
    case Kind::receive:
      // Some providers say with the last message that they are done with the buffer, some by an event without
      // one.
      if (entry.len != 0) receive({static_cast<const std::byte*>(entry.buf), entry.len}, handler);
      completed(static_cast<ReceiveBuffer&>(operation), entry);
      return;
    case Kind::send:
    case Kind::beat: take_back(operation); return;
    case Kind::read: complete_read(static_cast<ReadOperation&>(operation), 0); return;
  }
}

void FabricEndpoint::complete_with_error(EndpointHandler& handler) {
  fi_cq_err_entry error{};
  const std::int64_t read = ::fi_cq_readerr(objects_.completions.get(), &error, 0);
  if (read == -FI_EAGAIN) return;
  FabricLibrary::get().check(read, "fi_cq_readerr");
  const int fabric_errno = error.err < 0 ? -error.err : error.err;  // shm's are negative
  if (error.op_context == nullptr) {
    ++counters_.failed_sends;  // of a small message: whose, it does not say
    return;
  }
  auto& operation = *static_cast<Operation*>(error.op_context);
  switch (operation.kind) {
    case Kind::receive:
      ++counters_.failed_receives;
      failed(static_cast<ReceiveBuffer&>(operation), error.flags);
      return;
    case Kind::send:
    case Kind::beat: {
      const SendBuffer& buffer = take_back(operation);
      ++counters_.failed_sends;
      if (peers_[buffer.peer].is_there) handler.send_failed(buffer.peer, fabric_errno);
      return;
    }
    case Kind::read: complete_read(static_cast<ReadOperation&>(operation), fabric_errno); return;
  }
}

void FabricEndpoint::receive(std::span<const std::byte> bytes, EndpointHandler& handler) {
  MessageHeader header{};
  if (bytes.size() < sizeof header) {
    ++counters_.malformed;
    return;
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  const bool is_beat = header.magic == beat_magic;
  if (header.magic != message_magic && !is_beat) {
    ++counters_.malformed;
    return;
  }
  if (header.receiver != static_cast<std::uint32_t>(address_.epoch)) {
    ++counters_.for_somebody_else;
    return;
  }
  const PeerNumber peer = peers_by_epoch_.find(header.sender);
  if (peer == PeerIndex::nobody) {
    ++counters_.from_strangers;
    if (!is_beat) handler.stranger(bytes.subspan(sizeof header));
    return;
  }
  ++peers_[peer].heard;
  if (is_beat) return;
  ++counters_.received;
  handler.message(peer, bytes.subspan(sizeof header));
}

}  // namespace wyvern
