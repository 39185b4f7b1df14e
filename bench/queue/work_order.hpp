#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <wyvern/channels/channel.hpp>

#include "bench/queue/system.hpp"

namespace wyvern::bench {

/// What a team is to pass to and fro.
struct Shape {
  std::uint64_t bytes = 8;
  std::uint32_t producers = 1;
  std::uint32_t consumers = 1;
  std::uint32_t batch = 1;
  std::uint32_t directions = 1;  ///< queues: 2 for a ping-pong
};

/// What a worker process gets as its argument. A queue, of whatever system, is called a direction: a
/// ping-pong uses two, 0 and 1.
struct WorkOrder {
  System system = System::wyvern;
  Shape shape = {};
  std::uint32_t worker = 0;    ///< its slot in the scratch memory
  std::uint32_t number = 0;    ///< among the producers, or among the consumers
  std::uint32_t outgoing = 0;  ///< the direction that it sends on, if it does
  std::uint32_t incoming = 0;  ///< the direction that it receives on, if it does
  double ns_per_tick = 1;
  std::string scratch = {};
  std::vector<Channel> channels = {};  ///< wyvern: one a direction
  std::string name = {};               ///< boost, posix: of the queues, before the direction's digit
  std::uint32_t head = 0;              ///< unix: the process that has the sockets
  std::vector<int> sockets = {};       ///< unix: two a direction, to send on and to receive on
};

}  // namespace wyvern::bench
