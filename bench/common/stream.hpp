#pragma once

#include <cstdint>
#include <string>

#include "bench/common/clock.hpp"
#include "bench/common/row.hpp"
#include "bench/common/stream_check.hpp"
#include "bench/common/team.hpp"
#include "bench/common/worker.hpp"

namespace wyvern::bench {

/// A producer's round: lets `send(first, count)` send that many messages, from that sequence number on, again
/// and again for so long; the last of all producers to end calls `send_end()` for every consumer.
template <class Send, class SendEnd>
void produce_for(const Round& round, std::uint64_t count, Send&& send, SendEnd&& send_end) {
  WorkerSlot& slot = round.slot;
  slot.tallies = {};
  slot.begin_ns = monotonic_ns();
  const Ticks start = now_ticks();
  const Ticks duration = round.ticks();
  Tally tally{};
  do {
    const std::uint64_t first = tally.count;
    send(first, count);
    for (std::uint64_t i = 0; i < count; ++i) tally.add(first + i);
  } while (now_ticks() - start < duration);
  slot.tallies[round.order.number] = tally;
  slot.end_ns = monotonic_ns();
  const Shape& shape = round.order.shape;
  if (round.scratch->producers_done.fetch_add(1, std::memory_order_acq_rel) + 1 == shape.producers) {
    for (std::uint32_t i = 0; i < shape.consumers; ++i) send_end();
  }
}

/// A consumer's round: `receive(check)` receives some messages and adds them to the check; it returns false
/// when the end was among them.
template <class Receive>
void consume_until_end(const Round& round, Receive&& receive) {
  StreamCheck check(round.order.shape.producers);
  round.slot.begin_ns = monotonic_ns();
  while (receive(check)) {
  }
  round.slot.end_ns = monotonic_ns();
  round.slot.tallies = check.tallies();
}

/// What the last round of a team has shown; the producers are the first workers of the team. The time is from
/// the first producer's begin to the last consumer's end. Throws unless everything that was sent was
/// received, once.
Row stream_row(const std::string& benchmark, const std::string& system, const Team& team);

}  // namespace wyvern::bench
