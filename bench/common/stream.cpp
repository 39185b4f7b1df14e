#include "bench/common/stream.hpp"

#include <algorithm>
#include <stdexcept>

namespace wyvern::bench {

Row stream_row(const std::string& benchmark, const std::string& system, const Team& team) {
  const Shape& shape = team.shape();
  std::uint64_t messages = 0;
  std::uint64_t begin = ~std::uint64_t{0};
  std::uint64_t end = 0;
  for (std::uint32_t producer = 0; producer < shape.producers; ++producer) {
    const Tally& sent = team.slot(producer).tallies.at(producer);
    Tally received{};
    for (std::uint32_t consumer = 0; consumer < shape.consumers; ++consumer) {
      received.add(team.slot(shape.producers + consumer).tallies.at(producer));
    }
    if (received != sent) {
      throw std::runtime_error("of " + std::to_string(sent.count) + " messages of producer " +
                               std::to_string(producer) + " the consumers got " +
                               std::to_string(received.count) + ", or others than those sent");
    }
    messages += sent.count;
    begin = std::min(begin, team.slot(producer).begin_ns);
  }
  for (std::uint32_t consumer = 0; consumer < shape.consumers; ++consumer) {
    end = std::max(end, team.slot(shape.producers + consumer).end_ns);
  }
  return {.benchmark = benchmark,
          .system = system,
          .bytes = shape.bytes,
          .producers = shape.producers,
          .consumers = shape.consumers,
          .batch = shape.batch,
          .messages = messages,
          .messages_per_s = static_cast<double>(messages) * 1e9 / static_cast<double>(end - begin)};
}

}  // namespace wyvern::bench
