#pragma once

#include <cstdint>
#include <stdexcept>

#include "bench/queue/clock.hpp"
#include "bench/queue/worker.hpp"

namespace wyvern::bench {

/// The top bit of a stamp: the last message of the round.
inline constexpr std::uint64_t last_message = std::uint64_t{1} << 63;

/// Stamps of one round; no two that follow each other are the same, over rounds neither.
class Stamps {
 public:
  explicit Stamps(std::uint32_t round) : next_((std::uint64_t{round} << 40) + 1) {}
  std::uint64_t take(bool last) { return next_++ | (last ? last_message : 0); }

 private:
  std::uint64_t next_;
};

/// One round trip; what it took.
template <class Courier>
Ticks round_trip(Courier& courier, std::uint64_t stamp) {
  courier.expect();
  const Ticks start = now_ticks();
  courier.send(stamp);
  const std::uint64_t answer = courier.receive();
  const Ticks taken = now_ticks() - start;
  if (answer != stamp) throw std::runtime_error("another message than the one that was sent came back");
  return taken;
}

/// Plays for so long and records the round trips of the last nine tenths: by then the kernel has put two
/// spinning processes on two cores. Records at least one.
template <class Courier>
void ping_for(Courier& courier, Stamps& stamps, Ticks duration, Histogram& histogram, bool then_end) {
  const Ticks start = now_ticks();
  const Ticks warm_up = duration / 10;
  bool last = false;
  while (!last) {
    const Ticks passed = now_ticks() - start;
    last = passed >= duration;
    const Ticks taken = round_trip(courier, stamps.take(last && then_end));
    if (passed >= warm_up) histogram.record(taken);
  }
}

/// A round of the side that plays first and measures: half a round trip.
template <class Courier>
void ping(Courier& courier, const Round& round) {
  round.slot.histogram.clear();
  round.slot.ns_per_unit = round.order.ns_per_tick / 2;
  Stamps stamps(round.number);
  ping_for(courier, stamps, round.ticks(), round.slot.histogram, true);
}

/// A round of the side that answers.
template <class Courier>
void pong(Courier& courier) {
  std::uint64_t stamp = 0;
  courier.expect();
  while ((stamp & last_message) == 0) {
    stamp = courier.receive();
    if ((stamp & last_message) == 0) courier.expect();
    courier.send(stamp);
  }
}

}  // namespace wyvern::bench
