#include "bench/common/ping_pong_row.hpp"

namespace wyvern::bench {

Row ping_pong_row(const std::string& benchmark, const std::string& system, const Team& team,
                  std::uint32_t transfers) {
  const WorkerSlot& slot = team.slot(0);
  const std::uint64_t messages = transfers * slot.histogram.count;
  const double ns = static_cast<double>(slot.histogram.sum) * transfers * slot.ns_per_unit;
  return {.benchmark = benchmark,
          .system = system,
          .bytes = team.shape().bytes,
          .messages = messages,
          .latency = percentiles(slot.histogram, slot.ns_per_unit),
          .mean_ns = ns / static_cast<double>(messages),
          .messages_per_s = static_cast<double>(messages) * 1e9 / ns};
}

}  // namespace wyvern::bench
