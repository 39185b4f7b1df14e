#include "bench/queue/stream.hpp"

#include <algorithm>

namespace wyvern::bench {

StreamResult verify_stream(const Team& team) {
  const Shape& shape = team.shape();
  StreamResult result;
  std::uint64_t begin = ~std::uint64_t{0};
  std::uint64_t end = 0;
  for (std::uint32_t producer = 0; producer < shape.producers; ++producer) {
    const Tally& sent = team.slot(producer).tallies.at(producer);
    Tally received{};
    for (std::uint32_t consumer = 0; consumer < shape.consumers; ++consumer) {
      const Tally& part = team.slot(shape.producers + consumer).tallies.at(producer);
      received.count += part.count;
      received.sum += part.sum;
      received.mixed += part.mixed;
    }
    if (received != sent) {
      throw std::runtime_error("of " + std::to_string(sent.count) + " messages of producer " +
                               std::to_string(producer) + " the consumers got " +
                               std::to_string(received.count) + ", or others than those sent");
    }
    result.messages += sent.count;
    begin = std::min(begin, team.slot(producer).begin_ns);
  }
  for (std::uint32_t consumer = 0; consumer < shape.consumers; ++consumer) {
    end = std::max(end, team.slot(shape.producers + consumer).end_ns);
  }
  result.seconds = static_cast<double>(end - begin) / 1e9;
  return result;
}

}  // namespace wyvern::bench
