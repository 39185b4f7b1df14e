#pragma once

#include <stdexcept>

#include <wyvern/transport/fabric_header.hpp>

#include "bench/common/machine.hpp"
#include "bench/common/ping_pong.hpp"
#include "bench/common/worker.hpp"
#include "bench/transport/bare_link.hpp"
#include "bench/transport/endpoint_link.hpp"
#include "bench/transport/transport_order.hpp"

namespace wyvern::bench {

/// Opens a link of the order's system and calls `body(link)`: what is inside is compiled once for each, and
/// pays for no dispatch.
template <class Body>
void with_link(TransportSystem system, const std::string& provider, std::size_t message_bytes, Body&& body) {
  const auto with = [&](auto&& link) { body(link); };
  switch (system) {
    case TransportSystem::endpoint: return with(EndpointLink(provider, message_bytes));
    case TransportSystem::fabric: return with(BareLink(provider, message_bytes));
    case TransportSystem::fabric_same_bytes:
      return with(BareLink(provider, message_bytes, sizeof(MessageHeader)));
  }
}

/// The first of the two processes plays first.
inline bool plays_first(const TransportOrder& order) { return order.work.worker == 0; }

/// After its last message a worker polls until its partner has nothing to wait for any more: messages move
/// only then.
template <class Courier>
void poll_until_partner_is_done(Courier& courier, const Scratch& scratch) {
  while (scratch->arrivals.load(std::memory_order_acquire) == 0) {
    if (scratch->failed.load(std::memory_order_acquire) != 0)
      throw std::runtime_error("the other process has failed");
    courier.poll();
  }
}

/// A worker process, on a core of its own: opens its end, makes a courier by `make_courier(link)`, lets a
/// message go to and fro, so that there is a connection, and calls `play(courier, round)` in every round. Its
/// exit status.
template <class MakeCourier, class Play>
int play_link(const TransportOrder& order, std::size_t message_bytes, MakeCourier&& make_courier,
              Play&& play) {
  return run_worker(order.work, [&](Worker& worker) {
    keep_to_core(order.work.worker);
    const Scratch& scratch = worker.scratch();
    with_link(order.system, order.provider, message_bytes, [&](auto& link) {
      link.connect(meet_partner(scratch, order.work.worker, link.address()));
      auto courier = make_courier(link);
      if (plays_first(order)) {
        round_trip(courier, last_message);
      } else {
        pong(courier);
        poll_until_partner_is_done(courier, scratch);
      }
      while (worker.next_round()) {
        play(courier, worker.round());
        if (!plays_first(order)) poll_until_partner_is_done(courier, scratch);
      }
    });
  });
}

}  // namespace wyvern::bench
