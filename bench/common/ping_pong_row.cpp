#include "bench/common/ping_pong_row.hpp"

namespace wyvern::bench {

Row ping_pong_row(const std::string& benchmark, const std::string& system, const Team& team) {
  const WorkerSlot& slot = team.slot(0);
  const std::uint64_t messages = 2 * slot.histogram.count;  // to and fro
  const double seconds = static_cast<double>(slot.histogram.sum) * 2 * slot.ns_per_unit / 1e9;
  return {.benchmark = benchmark,
          .system = system,
          .bytes = team.shape().bytes,
          .messages = messages,
          .latency = percentiles(slot.histogram, slot.ns_per_unit),
          .messages_per_s = static_cast<double>(messages) / seconds};
}

}  // namespace wyvern::bench
