#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "bench/queue/clock.hpp"
#include "bench/queue/team.hpp"
#include "bench/queue/worker.hpp"

namespace wyvern::bench {

// A stream of messages of several producers to several consumers. A stamp tells the producer and the
// message's sequence number; one that is all ones ends a consumer's round.

inline constexpr unsigned sequence_bits = 48;
inline constexpr std::uint64_t end_of_stream = ~std::uint64_t{0};

constexpr std::uint64_t make_stamp(std::uint32_t producer, std::uint64_t sequence) {
  return (std::uint64_t{producer} << sequence_bits) | sequence;
}

/// A consumer's check of what it gets, and its account of it for the check of all consumers together.
class StreamCheck {
 public:
  explicit StreamCheck(std::uint32_t producers) : producers_(producers) {}

  /// Throws if nobody has sent that, or a message came before an older one of the same producer, or twice.
  void add(std::uint64_t stamp) {
    const std::uint64_t producer = stamp >> sequence_bits;
    const std::uint64_t sequence = stamp & ((std::uint64_t{1} << sequence_bits) - 1);
    if (producer >= producers_) throw std::runtime_error("a message came that nobody had sent");
    if (sequence < next_[producer]) {
      throw std::runtime_error("message " + std::to_string(sequence) + " of producer " +
                               std::to_string(producer) + " came twice, or after a later one");
    }
    next_[producer] = sequence + 1;
    tallies_[producer].add(sequence);
  }
  const std::array<Tally, max_producers>& tallies() const { return tallies_; }

 private:
  std::uint32_t producers_;
  std::array<std::uint64_t, max_producers> next_{};
  std::array<Tally, max_producers> tallies_{};
};

/// A producer's round: sends for so long; the last of them to end sends the end to every consumer.
template <class Courier>
void produce_for(Courier& courier, const Round& round) {
  constexpr std::uint64_t messages_between_clock_reads = 16;
  WorkerSlot& slot = round.slot;
  slot.tallies = {};
  slot.begin_ns = monotonic_ns();
  const Ticks start = now_ticks();
  const Ticks duration = round.ticks();
  Tally tally{};
  do {
    for (std::uint64_t i = 0; i < messages_between_clock_reads; ++i) {
      const std::uint64_t sequence = tally.count;
      courier.send(make_stamp(round.order.number, sequence));
      tally.add(sequence);
    }
  } while (now_ticks() - start < duration);
  slot.tallies[round.order.number] = tally;
  slot.end_ns = monotonic_ns();
  const Shape& shape = round.order.shape;
  if (round.scratch->producers_done.fetch_add(1, std::memory_order_acq_rel) + 1 == shape.producers) {
    for (std::uint32_t i = 0; i < shape.consumers; ++i) courier.send(end_of_stream);
  }
}

/// A consumer's round: receives until the end is sent to it.
template <class Courier>
void consume_until_end(Courier& courier, const Round& round) {
  StreamCheck check(round.order.shape.producers);
  round.slot.begin_ns = monotonic_ns();
  std::uint64_t stamp = courier.receive();
  while (stamp != end_of_stream) {
    check.add(stamp);
    stamp = courier.receive();
  }
  round.slot.end_ns = monotonic_ns();
  round.slot.tallies = check.tallies();
}

struct StreamResult {
  std::uint64_t messages = 0;
  double seconds = 0;  ///< from the first producer's begin to the last consumer's end
};
/// Throws unless everything that the team's producers have sent was received, once. The producers are the
/// first workers of the team.
StreamResult verify_stream(const Team& team);

}  // namespace wyvern::bench
