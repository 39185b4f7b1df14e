#pragma once

#include <type_traits>

#include "bench/common/worker.hpp"
#include "bench/queue/systems/boost_queue.hpp"
#include "bench/queue/systems/flag.hpp"
#include "bench/queue/systems/futex.hpp"
#include "bench/queue/systems/libfabric.hpp"
#include "bench/queue/systems/posix_queue.hpp"
#include "bench/queue/systems/tcp_socket.hpp"
#include "bench/queue/systems/unix_socket.hpp"
#include "bench/queue/systems/wyvern_queue.hpp"
#include "bench/queue/systems/zmq.hpp"

namespace wyvern::bench {

/// Opens the worker's end of the order's system and calls `body(endpoint)`: what is inside is compiled once
/// for each system, and pays for no dispatch.
template <class Body>
void with_endpoint(const QueueOrder& order, const Scratch& scratch, Body&& body) {
  const auto open = [&]<class Endpoint>(std::type_identity<Endpoint>) {
    Endpoint endpoint(order, scratch);
    body(endpoint);
  };
  switch (order.system) {
    case System::wyvern: return open(std::type_identity<WyvernEndpoint>());
    case System::flag: return open(std::type_identity<FlagEndpoint>());
    case System::futex: return open(std::type_identity<FutexEndpoint>());
    case System::unix_socket: return open(std::type_identity<UnixSocketEndpoint>());
    case System::boost_queue: return open(std::type_identity<BoostQueueEndpoint>());
    case System::posix_queue: return open(std::type_identity<PosixQueueEndpoint>());
    case System::libfabric: return open(std::type_identity<LibfabricEndpoint>());
    case System::tcp_socket: return open(std::type_identity<TcpSocketEndpoint>());
    case System::zmq: return open(std::type_identity<ZmqEndpoint>());
  }
}

/// A worker process: opens its end and calls `run(endpoint, round)` in every round. Its exit status.
template <class Run>
int work(const QueueOrder& order, Run&& run) {
  return run_worker(order.work, [&](Worker& worker) {
    with_endpoint(order, worker.scratch(), [&](auto& endpoint) {
      while (worker.next_round()) run(endpoint, worker.round());
    });
  });
}

}  // namespace wyvern::bench
