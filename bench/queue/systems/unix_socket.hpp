#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include <wyvern/core/file_descriptor.hpp>

#include "bench/common/scratch.hpp"
#include "bench/queue/queue_order.hpp"
#include "bench/queue/systems/resources.hpp"

namespace wyvern::bench {

/// A pair of SOCK_SEQPACKET sockets for each direction, whose ends any number of processes share.
class UnixSocketEndpoint {
 public:
  UnixSocketEndpoint(const QueueOrder& order, const Scratch& scratch);
  void send(std::span<const std::byte> message);
  void receive(std::span<std::byte> message);

 private:
  FileDescriptor outgoing_;
  FileDescriptor incoming_;
};

std::unique_ptr<Resources> make_unix_sockets(QueueOrder& order);

}  // namespace wyvern::bench
