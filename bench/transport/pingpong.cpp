#include "bench/common/ping_pong_row.hpp"
#include "bench/transport/benchmarks.hpp"
#include "bench/transport/link_courier.hpp"
#include "bench/transport/links.hpp"

namespace wyvern::bench {
namespace {

int play(TransportOrder order) {
  return play_link(
      order, order.work.shape.bytes, [&](auto& link) { return LinkCourier(link, order); },
      [&](auto& courier, const Round& round) { plays_first(order) ? ping(courier, round) : pong(courier); });
}

}  // namespace

LinkBenchmark pingpong_benchmark() {
  return {.play = play, .result = [](const std::string& system, const Team& team) {
            return ping_pong_row("pingpong", system, team);
          }};
}

}  // namespace wyvern::bench
