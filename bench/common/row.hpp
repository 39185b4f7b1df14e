#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "bench/common/histogram.hpp"

namespace wyvern::bench {

/// Nanoseconds.
struct Percentiles {
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  double p999 = 0;
  double max = 0;
};
Percentiles percentiles(const Histogram& histogram, double ns_per_unit);

/// What one repetition of one system has shown; what was not measured has no value.
struct Row {
  std::string benchmark = {};
  std::string system = {};     ///< "wyvern", or the baseline's name
  std::string path = "local";  ///< or the provider's name
  std::string wait = {};       ///< how a side waits, where that is chosen
  std::uint64_t bytes = 0;
  std::uint32_t producers = 1;
  std::uint32_t consumers = 1;
  std::uint32_t batch = 1;
  std::uint32_t fibers = 0;  ///< of one thread, in ours, where that is chosen
  std::uint32_t repetition = 0;
  std::uint64_t messages = 0;
  std::optional<Percentiles> latency = {};
  std::optional<double> mean_ns = {};  ///< all that some programs say of latency
  std::optional<double> messages_per_s = {};
  std::optional<double> cpu_percent = {};  ///< of one core
  std::map<std::string, double> ratios = {};

  std::optional<double> bytes_per_s() const;
};

/// The number by which systems are compared: the median latency, or else the messages per second.
double figure(const Row& row);
/// Notes in our row how its figure compares with another of the same repetition: ours / theirs; the mean
/// latencies if that is all that the other has.
void compare(Row& ours, const Row& theirs, const std::string& name);

}  // namespace wyvern::bench
