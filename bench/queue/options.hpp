#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/common/command_line.hpp"
#include "bench/common/work_order.hpp"
#include "bench/queue/system.hpp"

namespace wyvern::bench {

inline constexpr std::uint32_t max_batch = 1024;
inline constexpr std::uint32_t max_fibers = 1000;  ///< each has a get under way

struct Options {
  Benchmark benchmark = Benchmark::latency;
  std::vector<std::uint64_t> sizes = {};
  std::uint32_t producers = 1;
  std::uint32_t consumers = 1;
  std::uint32_t batch = 1;
  bool in_place = false;                       ///< messages are built and read where they lie
  std::vector<std::uint32_t> fibers = {};      ///< none; or how many, in turn
  std::string path = std::string(local_path);  ///< or the provider between nodes

  bool is_far() const { return path != local_path; }
  /// Of the job that is measured.
  std::uint32_t nodes() const { return !is_far() ? 1 : benchmark == Benchmark::idle ? 4 : 2; }
  std::vector<const Baseline*> baselines = {};
  double seconds = 0;  ///< of each repetition of each system
  std::uint32_t repetitions = 7;
  std::string json = {};  ///< a file; empty: none
};

/// Nothing: help was asked for and printed. Throws BadOption.
std::optional<Options> parse_options(int argc, const char* const* argv);

}  // namespace wyvern::bench
