#pragma once

#include <mqueue.h>

#include <cstddef>
#include <memory>
#include <span>

#include <wyvern/core/file_descriptor.hpp>

#include "bench/common/scratch.hpp"
#include "bench/queue/queue_order.hpp"
#include "bench/queue/systems/resources.hpp"

namespace wyvern::bench {

/// POSIX message queues: a system call for each message.
class PosixQueueEndpoint {
 public:
  PosixQueueEndpoint(const QueueOrder& order, const Scratch& scratch);
  void send(std::span<const std::byte> message);
  void receive(std::span<std::byte> message);

 private:
  FileDescriptor outgoing_;
  FileDescriptor incoming_;
};

std::unique_ptr<Resources> make_posix_queues(QueueOrder& order);

}  // namespace wyvern::bench
