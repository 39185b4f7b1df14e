#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <wyvern/channels/channel.hpp>

#include "bench/common/work_order.hpp"
#include "bench/queue/system.hpp"

namespace wyvern::bench {

/// What a worker process gets as its argument: a direction is a queue, of whatever system.
struct QueueOrder {
  WorkOrder work = {};
  System system = System::wyvern;
  std::vector<Channel> channels = {};  ///< wyvern: one a direction
  std::string name = {};               ///< boost, posix: of the queues, before the direction's digit
  std::string provider = {};           ///< libfabric
  std::uint32_t head = 0;              ///< unix: the process that has the sockets
  std::vector<int> sockets = {};       ///< unix: two a direction, to send on and to receive on
};

}  // namespace wyvern::bench
