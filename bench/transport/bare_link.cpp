#include "bench/transport/bare_link.hpp"

#include <rdma/fi_rma.h>

namespace wyvern::bench {
namespace {

constexpr std::size_t round_to_line(std::size_t bytes) { return (bytes + line - 1) / line * line; }

}  // namespace

BareLink::BareLink(const std::string& provider, std::size_t message_bytes, std::size_t header)
    : fabric_(provider, header + message_bytes),
      header_(header),
      inject_bytes_(fabric_.objects().info->tx_attr->inject_size),
      sends_memory_(fabric_.objects(), sends * round_to_line(header + message_bytes)),
      receives_memory_(fabric_.objects(), receives * receive_bytes) {
  const std::size_t send_bytes = sends_memory_.bytes().size() / sends;
  free_sends_.reserve(sends);
  for (std::size_t i = 0; i < sends; ++i) {
    sends_.at(i).memory = sends_memory_.bytes().subspan(i * send_bytes, send_bytes);
    free_sends_.push_back(&sends_.at(i));
  }
  for (std::size_t i = 0; i < receives; ++i) {
    receives_.at(i).kind = Kind::receive;
    receives_.at(i).memory = receives_memory_.bytes().subspan(i * receive_bytes, receive_bytes);
    post(receives_.at(i));
  }
  read_.kind = Kind::read;
}

void BareLink::post(ReceiveBuffer& buffer) {
  void* description = receives_memory_.description();
  const iovec memory{.iov_base = buffer.memory.data(), .iov_len = buffer.memory.size()};
  fi_msg message{};
  message.msg_iov = &memory;
  message.desc = &description;
  message.iov_count = 1;
  message.addr = FI_ADDR_UNSPEC;
  message.context = &buffer.context;
  FabricLibrary::get().check(::fi_recvmsg(fabric_.endpoint(), &message, FI_MULTI_RECV), "fi_recvmsg");
}

RemoteMemory BareLink::expose(std::span<std::byte> memory) {
  return regions_.emplace_back(FabricMemory::for_reads(fabric_.objects(), memory))->remote();
}

void BareLink::prepare_reads(std::span<std::byte> destination) {
  destination_ = destination;
  if (fabric_.objects().needs(FI_MR_LOCAL)) expose(destination);
}

void BareLink::begin_read(const RemoteMemory& source) {
  void* description = regions_.empty() ? nullptr : regions_.front()->description();
  const auto ignore = [](std::span<const std::byte>) {};
  is_reading_ = true;
  while (!BareFabric::has_begun(
      ::fi_read(fabric_.endpoint(), destination_.data(), destination_.size(), description, fabric_.partner(),
                source.address, source.key, &read_.context),
      "fi_read")) {
    poll(ignore);
  }
}

}  // namespace wyvern::bench
