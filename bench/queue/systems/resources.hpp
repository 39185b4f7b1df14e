#pragma once

#include <memory>

#include <wyvern/runtime/runtime.hpp>

#include "bench/queue/queue_order.hpp"

namespace wyvern::bench {

/// What the workers of a team find when they open their ends: made by the head, gone with this object.
class Resources {
 public:
  Resources() = default;
  virtual ~Resources() = default;
  Resources(const Resources&) = delete;
  Resources& operator=(const Resources&) = delete;
};

/// Makes what the order's system needs for the order's shape, and writes into the order how to reach it. A
/// queue's home is where it is received from: direction 0 leads here, 1 to the far node.
std::unique_ptr<Resources> make_resources(const Runtime& runtime, QueueOrder& order, std::uint32_t far_node);

}  // namespace wyvern::bench
