#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "bench/common/scratch.hpp"
#include "bench/queue/queue_order.hpp"

namespace wyvern::bench {

/// A provider of libfabric, polled: an RDM endpoint in each of two processes, fi_send and
/// fi_recv into the receiver's own buffer; in a stream from and into some buffers by turns, of which only the
/// stamps are copied. The library is loaded here and nowhere else, because it takes over
/// the signals of every process that links it.
class LibfabricEndpoint {
 public:
  /// Waits for the other process. Throws if there is no library, or no such provider in it.
  LibfabricEndpoint(const QueueOrder& order, const Scratch& scratch);
  ~LibfabricEndpoint();
  LibfabricEndpoint(const LibfabricEndpoint&) = delete;
  LibfabricEndpoint& operator=(const LibfabricEndpoint&) = delete;

  /// Where the next message shall arrive; to be said before it can be sent, but in a stream.
  void expect(std::span<std::byte> message);
  void send(std::span<const std::byte> message);
  /// Waits for the expected message.
  void receive(std::span<std::byte> message);

 private:
  class Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace wyvern::bench
