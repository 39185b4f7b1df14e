#include "bench/queue/systems/resources.hpp"

#include "bench/queue/systems/boost_queue.hpp"
#include "bench/queue/systems/posix_queue.hpp"
#include "bench/queue/systems/unix_socket.hpp"

namespace wyvern::bench {

std::unique_ptr<Resources> make_resources(const Runtime& runtime, QueueOrder& order, std::uint32_t far_node) {
  switch (order.system) {
    case System::wyvern:
      for (std::uint32_t i = 0; i < order.work.shape.directions; ++i) {
        order.channels.push_back(runtime.make_channel({.node = i == 0 ? runtime.node() : far_node}));
      }
      break;
    case System::unix_socket: return make_unix_sockets(order);
    case System::boost_queue: return make_boost_queues(order);
    case System::posix_queue: return make_posix_queues(order);
    case System::flag:
    case System::futex:
    case System::libfabric:
    case System::tcp_socket:
    case System::zmq: break;  // the scratch memory is all they need
  }
  return std::make_unique<Resources>();
}

}  // namespace wyvern::bench
