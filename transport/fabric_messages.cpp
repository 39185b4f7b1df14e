#include <array>
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

/// Completions that are read at a time.
constexpr std::size_t completions_at_once = 16;

}  // namespace

std::size_t FabricEndpoint::write(std::span<std::byte> to, const Peer& peer,
                                  std::span<const std::byte> message) const {
  const MessageHeader header{.magic = message_magic,
                             .receiver = static_cast<std::uint32_t>(peer.address.epoch),
                             .sender = address_.epoch};
  std::memcpy(to.data(), &header, sizeof header);
  if (!message.empty()) std::memcpy(to.data() + sizeof header, message.data(), message.size());
  return sizeof header + message.size();
}

SendOutcome FabricEndpoint::outcome_of(std::int64_t result) {
  if (result == 0) {
    ++counters_.sent;
    return SendOutcome::done;
  }
  if (result == -FI_EAGAIN) {
    ++counters_.provider_was_busy;
    return SendOutcome::retry;
  }
  ++counters_.failed_sends;
  return SendOutcome::failed;
}

SendOutcome FabricEndpoint::send(PeerNumber to, std::span<const std::byte> message) {
  const Peer& peer = peer_at(to);
  if (message.size() > largest_payload_) {
    throw TooLarge("a message of " + std::to_string(message.size()) + " bytes: an endpoint of provider " +
                   address_.provider + " sends at most " + std::to_string(largest_payload_));
  }
  if (sizeof(MessageHeader) + message.size() <= inject_bytes_) {
    const std::size_t bytes = write(scratch_, peer, message);
    return outcome_of(::fi_inject(objects_.endpoint.get(), scratch_.data(), bytes, peer.fabric_address));
  }
  if (free_sends_.empty()) {
    ++counters_.too_many_sends;
    return SendOutcome::retry;
  }
  Buffer& buffer = *free_sends_.back();
  buffer.peer = to;
  const std::size_t bytes = write(buffer.memory, peer, message);
  const SendOutcome outcome =
      outcome_of(::fi_send(objects_.endpoint.get(), buffer.memory.data(), bytes, buffer.description(),
                           peer.fabric_address, &buffer.context.fabric));
  if (outcome == SendOutcome::done) free_sends_.pop_back();
  return outcome;
}

void FabricEndpoint::post(Buffer& buffer) {
  const iovec memory{.iov_base = buffer.memory.data(), .iov_len = buffer.memory.size()};
  void* description = buffer.description();
  fi_msg message{};
  message.msg_iov = &memory;
  message.desc = &description;
  message.iov_count = 1;
  message.addr = FI_ADDR_UNSPEC;
  message.context = &buffer.context.fabric;
  const std::int64_t result = ::fi_recvmsg(objects_.endpoint.get(), &message, FI_MULTI_RECV);
  buffer.is_posted = result == 0;
  // The next poll tries again.
  if (result != -FI_EAGAIN) FabricLibrary::get().check(result, "fi_recvmsg");
}

std::size_t FabricEndpoint::poll(EndpointHandler& handler) {
  std::array<fi_cq_data_entry, completions_at_once> entries;
  const std::int64_t read = ::fi_cq_read(objects_.completions.get(), entries.data(), entries.size());
  std::size_t events = 0;
  if (read == -FI_EAVAIL) {
    complete_with_error(handler);
    events = 1;
  } else if (read != -FI_EAGAIN) {
    FabricLibrary::get().check(read, "fi_cq_read");
    events = static_cast<std::size_t>(read);
    for (std::size_t i = 0; i < events; ++i) complete(entries[i], handler);
  }
  // At the end: when it fails, all that has come has been dealt with.
  for (Buffer& buffer : receives_) {
    if (!buffer.is_posted) post(buffer);
  }
  return events;
}

void FabricEndpoint::complete(const fi_cq_data_entry& entry, EndpointHandler& handler) {
  if (entry.op_context == nullptr) return;  // of nothing that we have begun
  Buffer& buffer = *static_cast<Context*>(entry.op_context)->buffer;
  if (buffer.kind == BufferKind::send) {
    free_sends_.push_back(&buffer);
    return;
  }
  // Some providers say with the last message that they are done with the buffer, some by an event without
  // one.
  if (entry.len != 0) receive({static_cast<const std::byte*>(entry.buf), entry.len}, handler);
  if ((entry.flags & FI_MULTI_RECV) != 0) buffer.is_posted = false;
}

void FabricEndpoint::complete_with_error(EndpointHandler& handler) {
  fi_cq_err_entry error{};
  const std::int64_t read = ::fi_cq_readerr(objects_.completions.get(), &error, 0);
  if (read == -FI_EAGAIN) return;
  FabricLibrary::get().check(read, "fi_cq_readerr");
  if (error.op_context == nullptr) {
    ++counters_.failed_sends;  // of a small message: whose, it does not say
    return;
  }
  Buffer& buffer = *static_cast<Context*>(error.op_context)->buffer;
  if (buffer.kind == BufferKind::send) {
    free_sends_.push_back(&buffer);
    ++counters_.failed_sends;
    if (peers_[buffer.peer].is_there)
      handler.send_failed(buffer.peer, error.err < 0 ? -error.err : error.err);
    return;
  }
  ++counters_.failed_receives;
  if ((error.flags & FI_MULTI_RECV) != 0) buffer.is_posted = false;
}

void FabricEndpoint::receive(std::span<const std::byte> bytes, EndpointHandler& handler) {
  MessageHeader header{};
  if (bytes.size() < sizeof header) {
    ++counters_.malformed;
    return;
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != message_magic) {
    ++counters_.malformed;
    return;
  }
  if (header.receiver != static_cast<std::uint32_t>(address_.epoch)) {
    ++counters_.for_somebody_else;
    return;
  }
  const auto peer = peers_by_epoch_.find(header.sender);
  if (peer == peers_by_epoch_.end()) {
    ++counters_.from_strangers;
    return;
  }
  ++counters_.received;
  handler.message(peer->second, bytes.subspan(sizeof header));
}

}  // namespace wyvern
