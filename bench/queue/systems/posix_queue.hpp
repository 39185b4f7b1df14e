#pragma once

#include <mqueue.h>

#include <cstddef>
#include <memory>
#include <span>

#include <wyvern/core/file_descriptor.hpp>

#include "bench/queue/scratch.hpp"
#include "bench/queue/systems/resources.hpp"
#include "bench/queue/work_order.hpp"

namespace wyvern::bench {

/// POSIX message queues: a system call for each message.
class PosixQueueEndpoint {
 public:
  PosixQueueEndpoint(const WorkOrder& order, const Scratch& scratch);
  void send(std::span<const std::byte> message);
  void receive(std::span<std::byte> message);

 private:
  FileDescriptor outgoing_;
  FileDescriptor incoming_;
};

std::unique_ptr<Resources> make_posix_queues(WorkOrder& order);

}  // namespace wyvern::bench
