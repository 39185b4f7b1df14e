#pragma once

#include <unistd.h>

#include <cstdint>
#include <string>

#include <wyvern/channels/channel.hpp>

namespace wyvern::bench {

/// A name for shared memory or a queue that nobody else uses; without a slash.
inline std::string unused_name() {
  static std::uint32_t names = 0;
  return "bench_queue-" + std::to_string(::getpid()) + "-" + std::to_string(names++) + "-";
}

/// Messages that a queue holds.
inline const std::uint64_t same_capacity_as_ours = QueueOptions{}.capacity;

}  // namespace wyvern::bench
