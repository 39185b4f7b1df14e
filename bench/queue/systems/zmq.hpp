#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "bench/common/scratch.hpp"
#include "bench/queue/queue_order.hpp"

namespace wyvern::bench {

/// ZeroMQ between two processes: a PUSH and a PULL socket for each direction, over tcp and the loopback
/// interface, with default options.
class ZmqEndpoint {
 public:
  /// Waits for the other process. Throws std::runtime_error.
  ZmqEndpoint(const QueueOrder& order, const Scratch& scratch);
  void send(std::span<const std::byte> message);
  void receive(std::span<std::byte> message);

 private:
  struct End {
    void operator()(void* socket) const;
  };
  struct EndContext {
    void operator()(void* context) const;
  };

  std::unique_ptr<void, EndContext> context_;
  std::unique_ptr<void, End> outgoing_;
  std::unique_ptr<void, End> incoming_;
};

}  // namespace wyvern::bench
