#include <cstddef>

#include <rdma/fi_errno.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/fabric_endpoint.hpp>

// The buffers in which messages come. A provider fills one with messages of all peers, and says with one of
// them that it is done with the buffer. tcp;ofi_rxm and net say so while other messages still come into it,
// piece by piece from their connections: given back at once, those would overwrite what has come meanwhile.
// So a buffer is free when as many bytes have come as were given out in it; another one takes its place until
// then.
namespace wyvern {
namespace {

constexpr std::size_t receive_buffer_bytes = std::size_t{1} << 20;
/// A message of a peer that died in the midst of it never comes. When so many more buffers than there are
/// peers are unfinished, the oldest one is taken: nobody will finish it.
constexpr std::size_t most_unfinished = 16;

}  // namespace

/// Where not all could be posted, the next poll tries again.
void FabricEndpoint::post_receives() {
  try {
    while (!has_receives() && post(free_receive())) continue;
  } catch (const Error&) {
    if (posted_receives_ == 0) throw;  // otherwise messages come all the same
  }
}

/// In the constructor or in place of an unfinished one it may be new.
FabricEndpoint::ReceiveBuffer& FabricEndpoint::free_receive() {
  if (!free_receives_.empty()) {
    ReceiveBuffer& buffer = *free_receives_.back();
    free_receives_.pop_back();
    return buffer;
  }
  if (unfinished_receives_.size() > most_unfinished + peers_by_epoch_.size()) {
    ReceiveBuffer& buffer = *unfinished_receives_.front();
    unfinished_receives_.pop_front();
    buffer.is_released = false;
    return buffer;
  }
  const MessageMemory& memory = memory_.emplace_back(objects_, receive_buffer_bytes);
  ReceiveBuffer& buffer = receives_.emplace_back();
  free_receives_.reserve(receives_.size());
  buffer.kind = Kind::receive;
  buffer.memory = memory.bytes();
  buffer.description = memory.description();
  return buffer;
}

/// False: not now; it is free then, also if this throws.
bool FabricEndpoint::post(ReceiveBuffer& buffer) {
  const iovec memory{.iov_base = buffer.memory.data(), .iov_len = buffer.memory.size()};
  fi_msg message{};
  message.msg_iov = &memory;
  message.desc = &buffer.description;
  message.iov_count = 1;
  message.addr = FI_ADDR_UNSPEC;
  message.context = &buffer.context;
  const std::int64_t result = watched(
      CallMark::no_peer, [&] { return ::fi_recvmsg(objects_.endpoint.get(), &message, FI_MULTI_RECV); });
  if (result != 0) free_receives_.push_back(&buffer);
  if (result == -FI_EAGAIN) return false;
  FabricLibrary::get().check(result, "fi_recvmsg");
  buffer.is_counted = true;
  buffer.received = 0;
  ++posted_receives_;
  return true;
}

void FabricEndpoint::completed(ReceiveBuffer& buffer, const fi_cq_data_entry& entry) {
  buffer.received += entry.len;
  if ((entry.flags & FI_MULTI_RECV) == 0) {
    free_if_all_came(buffer);
    return;
  }
  // The last message that was given a place in it; or an event of its own, before which all has come.
  const bool is_message = entry.len != 0;
  const std::size_t end =
      is_message ? static_cast<std::size_t>(static_cast<const std::byte*>(entry.buf) - buffer.memory.data()) +
                       entry.len
                 : buffer.received;
  released(buffer, end);
}

/// Which message of which size did not come is not said, nor always whether the provider is done with the
/// buffer: another one is posted in any case.
void FabricEndpoint::failed(ReceiveBuffer& buffer, std::uint64_t flags) {
  if ((flags & FI_MULTI_RECV) != 0) {
    released(buffer, buffer.memory.size());
  } else if (buffer.is_counted) {
    buffer.is_counted = false;
    --posted_receives_;
  }
}

void FabricEndpoint::released(ReceiveBuffer& buffer, std::size_t given_out) {
  if (buffer.is_released) return;
  if (buffer.is_counted) --posted_receives_;
  buffer.is_counted = false;
  buffer.is_released = true;
  buffer.given_out = given_out;
  unfinished_receives_.push_back(&buffer);
  free_if_all_came(buffer);
}

void FabricEndpoint::free_if_all_came(ReceiveBuffer& buffer) {
  if (!buffer.is_released || buffer.received != buffer.given_out) return;
  std::erase(unfinished_receives_, &buffer);
  buffer.is_released = false;
  free_receives_.push_back(&buffer);
}

}  // namespace wyvern
