#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include "bench/common/clock.hpp"
#include "bench/common/worker.hpp"

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

template <class Courier>
void round_trip(Courier& courier, std::uint64_t stamp) {
  courier.expect();
  courier.send(stamp);
  if (courier.receive() != stamp) {
    throw std::runtime_error("another message than the one that was sent came back");
  }
}

/// Plays for so long and records the round trips of the last nine tenths: by then the kernel has put two
/// spinning processes on two cores. Each is measured from the answer before it, so that the clock is read
/// once a round trip and nothing is left out, less what measuring takes (`overhead`). Records at least one.
template <class Courier>
void ping_for(Courier& courier, Stamps& stamps, Ticks duration, Ticks overhead, Histogram& histogram,
              bool then_end) {
  const Ticks start = now_ticks();
  const Ticks warm_up = duration / 10;
  Ticks before = start;
  bool last = false;
  while (!last) {
    last = before - start >= duration;
    round_trip(courier, stamps.take(last && then_end));
    const Ticks now = now_ticks();
    if (before - start >= warm_up) histogram.record(now - std::min(before + overhead, now));
    before = now;
  }
}

/// Its own answer: what is left of a round trip is what measuring takes.
class Echo {
 public:
  void expect() {}
  void send(std::uint64_t stamp) { stamp_ = stamp; }
  std::uint64_t receive() const { return stamp_; }

 private:
  std::uint64_t stamp_ = 0;
};

/// What ping_for adds to a round trip by reading the clock and recording: the smallest mean of ten times 0.1
/// ms (the clock's steps are longer than what is measured may be, so no single one tells), in a histogram
/// that is cleared.
inline Ticks measure_overhead(double ns_per_tick, Histogram& histogram) {
  constexpr int times = 10;
  constexpr double duration_ns = 1e5;
  Ticks smallest = ~Ticks{0};
  for (int i = 0; i < times; ++i) {
    histogram.clear();
    Echo echo;
    Stamps stamps(0);
    ping_for(echo, stamps, static_cast<Ticks>(duration_ns / ns_per_tick), 0, histogram, false);
    smallest = std::min(smallest, histogram.sum / histogram.count);
  }
  histogram.clear();
  return smallest;
}

/// A round of the side that plays first and measures: of each round trip one of so many transfers, which are
/// of the same kind.
template <class Courier>
void ping(Courier& courier, const Round& round, std::uint32_t transfers = 2) {
  WorkerSlot& slot = round.slot;
  const Ticks overhead = measure_overhead(round.order.ns_per_tick, slot.histogram);
  slot.ns_per_unit = round.order.ns_per_tick / transfers;
  Stamps stamps(round.number);
  ping_for(courier, stamps, round.ticks(), overhead, slot.histogram, true);
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
