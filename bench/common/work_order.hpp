#pragma once

#include <cstdint>
#include <string>

namespace wyvern::bench {

/// More than this many producers, or consumers, have no place in the memory that the processes share.
inline constexpr std::uint32_t max_producers = 64;
inline constexpr std::uint32_t max_consumers = 64;

/// What a team is to pass to and fro.
struct Shape {
  std::uint64_t bytes = 8;
  std::uint32_t producers = 1;
  std::uint32_t consumers = 1;
  std::uint32_t batch = 1;
  std::uint32_t fibers = 0;      ///< of one thread that work on it; 0: none
  std::uint32_t directions = 1;  ///< 2 for a ping-pong
};

/// What every worker process is told. A way from one side to the other is called a direction: a ping-pong
/// uses two, 0 and 1.
struct WorkOrder {
  Shape shape = {};
  std::uint32_t worker = 0;    ///< its slot in the scratch memory
  std::uint32_t number = 0;    ///< among the producers, or among the consumers
  std::uint32_t outgoing = 0;  ///< the direction that it sends on, if it does
  std::uint32_t incoming = 0;  ///< the direction that it receives on, if it does
  double ns_per_tick = 1;
  std::string scratch = {};
};

}  // namespace wyvern::bench
