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

Contestant make_pingpong(const TransportRun& run, const TransportCase& what, TransportSystem system,
                         const std::string& name) {
  const auto pair = make_link_team(run, what, system, play);
  return {.name = name,
          .play = [pair, seconds = run.options.seconds] { pair->run_round(seconds); },
          .result = [pair, name] { return ping_pong_row("pingpong", name, *pair); }};
}

}  // namespace wyvern::bench
