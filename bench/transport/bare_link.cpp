#include "bench/transport/bare_link.hpp"

#include <poll.h>

#include <stdexcept>

#include <rdma/fi_rma.h>

#include "bench/transport/wait_mode.hpp"

namespace wyvern::bench {
namespace {

constexpr std::size_t round_to_line(std::size_t bytes) { return (bytes + line - 1) / line * line; }

}  // namespace

BareLink::BareLink(const std::string& provider, std::size_t message_bytes, std::size_t header)
    : fabric_(provider, header + message_bytes),
      header_(header),
      inject_bytes_(fabric_.objects().info->tx_attr->inject_size),
      memory_(fabric_.objects(), (sends + receives) * round_to_line(header + message_bytes)) {
  const std::size_t buffer_bytes = memory_.bytes().size() / (sends + receives);
  free_sends_.reserve(sends);
  for (std::size_t i = 0; i < sends; ++i) {
    sends_.at(i).memory = memory_.bytes().subspan(i * buffer_bytes, buffer_bytes);
    free_sends_.push_back(&sends_.at(i));
  }
  for (std::size_t i = 0; i < receives; ++i) {
    receives_.at(i).kind = Kind::receive;
    receives_.at(i).memory = memory_.bytes().subspan((sends + i) * buffer_bytes, buffer_bytes);
    post(receives_.at(i));
  }
  read_.kind = Kind::read;
}

void BareLink::post(MessageBuffer& buffer) {
  if (!BareFabric::has_begun(::fi_recv(fabric_.endpoint(), buffer.memory.data(), buffer.memory.size(),
                                       memory_.description(), FI_ADDR_UNSPEC, &buffer.context),
                             "fi_recv"))
    throw std::runtime_error("libfabric takes fewer receive buffers than there are messages under way");
}

void BareLink::sleep() {
  if (!fabric_.may_sleep()) return;
  pollfd events{.fd = fabric_.objects().descriptor, .events = POLLIN, .revents = 0};
  ::poll(&events, 1, static_cast<int>(longest_sleep.count()));
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
