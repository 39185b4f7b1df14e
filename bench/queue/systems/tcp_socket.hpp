#pragma once

#include <cstddef>
#include <span>

#include <wyvern/core/file_descriptor.hpp>

#include "bench/common/scratch.hpp"
#include "bench/queue/queue_order.hpp"

namespace wyvern::bench {

/// A bare TCP connection over the loopback interface between two processes, without delay (TCP_NODELAY): a
/// message is so many bytes, sent by one call.
class TcpSocketEndpoint {
 public:
  /// Waits for the other process. Throws std::system_error.
  TcpSocketEndpoint(const QueueOrder& order, const Scratch& scratch);
  void send(std::span<const std::byte> message);
  void receive(std::span<std::byte> message);

 private:
  FileDescriptor connection_;
};

}  // namespace wyvern::bench
