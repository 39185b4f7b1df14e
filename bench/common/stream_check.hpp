#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "bench/common/work_order.hpp"

namespace wyvern::bench {

// A stream of messages of several producers to several consumers. A stamp tells the producer and the
// message's sequence number; one that is all ones ends a consumer's round.

inline constexpr unsigned sequence_bits = 48;
inline constexpr std::uint64_t end_of_stream = ~std::uint64_t{0};

constexpr std::uint64_t make_stamp(std::uint32_t producer, std::uint64_t sequence) {
  return (std::uint64_t{producer} << sequence_bits) | sequence;
}

/// What a consumer has got from one producer, or a producer has put. Lies in shared memory.
struct Tally {
  std::uint64_t count;
  std::uint64_t sum;    ///< of the sequence numbers
  std::uint64_t mixed;  ///< sum of a hash of each: two errors do not make up for each other in both sums

  void add(std::uint64_t sequence) {
    std::uint64_t hash = (sequence + 1) * 0x9e3779b97f4a7c15U;
    hash ^= hash >> 29;
    ++count;
    sum += sequence;
    mixed += hash * 0xbf58476d1ce4e5b9U;
  }
  void add(const Tally& part) {
    count += part.count;
    sum += part.sum;
    mixed += part.mixed;
  }
  friend bool operator==(const Tally&, const Tally&) = default;
};

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

}  // namespace wyvern::bench
