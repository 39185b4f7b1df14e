#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/common/command_line.hpp"
#include "bench/transport/transport_order.hpp"

namespace wyvern::bench {

enum class TransportBenchmark : std::uint8_t { pingpong, stream, read };
std::string_view name_of(TransportBenchmark benchmark);

/// What ours is compared with, as options and results call it.
struct TransportBaseline {
  std::string_view name;
  /// Nothing: a program of its own, fi_pingpong.
  std::optional<TransportSystem> system;

  bool serves(TransportBenchmark benchmark) const {
    return system.has_value() || benchmark != TransportBenchmark::stream;
  }
};
std::span<const TransportBaseline> transport_baselines();

struct TransportOptions {
  TransportBenchmark benchmark = TransportBenchmark::pingpong;
  std::vector<std::string> providers = {"tcp"};  ///< as in ProviderTraits::request or ::name
  std::vector<std::uint64_t> sizes = {};
  std::vector<WaitMode> waits = {};
  std::vector<const TransportBaseline*> baselines = {};
  double seconds = 0.2;  ///< of each repetition of each system
  std::uint32_t repetitions = 15;
  std::string json = {};  ///< a file; empty: none
};

/// Nothing: help was asked for and printed. Throws BadOption.
std::optional<TransportOptions> parse_transport_options(int argc, const char* const* argv);

}  // namespace wyvern::bench
