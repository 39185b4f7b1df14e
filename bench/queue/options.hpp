#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/queue/system.hpp"

namespace wyvern::bench {

/// More than this many producers, or consumers, have no place in the memory that the processes share.
inline constexpr std::uint32_t max_producers = 64;
inline constexpr std::uint32_t max_consumers = 64;
inline constexpr std::uint32_t max_batch = 1024;
/// A message begins with a stamp of so many bytes, by which it is checked.
inline constexpr std::uint64_t smallest_message = 8;
inline constexpr std::uint64_t largest_message = std::uint64_t{1} << 30;

struct Options {
  Benchmark benchmark = Benchmark::latency;
  std::vector<std::uint64_t> sizes = {};
  std::uint32_t producers = 1;
  std::uint32_t consumers = 1;
  std::uint32_t batch = 1;
  std::vector<const Baseline*> baselines = {};
  double seconds = 0;  ///< of each repetition of each system
  std::uint32_t repetitions = 7;
  std::string json = {};  ///< a file; empty: none
};

/// What is wrong with the command line, in one sentence.
class BadOption : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Nothing: help was asked for and printed. Throws BadOption.
std::optional<Options> parse_options(int argc, const char* const* argv);

}  // namespace wyvern::bench
