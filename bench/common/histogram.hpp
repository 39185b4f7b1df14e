#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace wyvern::bench {

/// Counts of values in buckets that are 1/128 of the value wide (1 below 256): log-linear. A plain struct, so
/// that it can lie in shared memory; all zero is the empty one. One thread records, nobody reads meanwhile.
struct Histogram {
  static constexpr unsigned precision_bits = 7;
  /// Larger values (with nanoseconds: 18 minutes) are counted as this one; the maximum stays exact.
  static constexpr unsigned value_bits = 40;
  static constexpr std::size_t buckets = (value_bits - precision_bits + 1) << precision_bits;

  static constexpr std::size_t bucket_of(std::uint64_t value) {
    constexpr std::uint64_t largest = (std::uint64_t{1} << value_bits) - 1;
    if (value > largest) value = largest;
    const auto width = static_cast<unsigned>(std::bit_width(value));
    const unsigned shift = width > precision_bits + 1 ? width - precision_bits - 1 : 0;
    return (std::size_t{shift} << precision_bits) + static_cast<std::size_t>(value >> shift);
  }
  /// The smallest value of a bucket.
  static constexpr std::uint64_t bucket_start(std::size_t bucket) {
    const std::size_t shift = bucket >> precision_bits > 1 ? (bucket >> precision_bits) - 1 : 0;
    return (bucket - (shift << precision_bits)) << shift;
  }

  void clear() { *this = Histogram{}; }
  void record(std::uint64_t value) {
    ++counts[bucket_of(value)];
    ++count;
    sum += value;
    if (value > maximum) maximum = value;
  }
  /// Adds what another has recorded.
  void add(const Histogram& other);
  /// The value that the given share (0 to 1) of all does not exceed, interpolated within its bucket; 0 when
  /// empty.
  double quantile(double share) const;

  std::array<std::uint64_t, buckets> counts;
  std::uint64_t count;
  std::uint64_t sum;
  std::uint64_t maximum;
};

}  // namespace wyvern::bench
