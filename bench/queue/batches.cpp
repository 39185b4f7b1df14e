#include "bench/queue/batches.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <wyvern/wyvern.hpp>

#include "bench/common/stream.hpp"
#include "bench/common/team.hpp"
#include "bench/queue/courier.hpp"

namespace wyvern::bench {
namespace {

constexpr std::size_t largest_value = 4096;

template <std::size_t bytes>
using Value = std::array<std::byte, bytes>;

template <std::size_t bytes>
int produce_batches(WorkOrder order, Queue<Value<bytes>> queue) {
  return run_worker(order, [&](Worker& worker) {
    std::vector<Value<bytes>> values(order.shape.batch);
    const auto send = [&](std::uint64_t first, std::uint64_t count) {
      for (std::uint64_t i = 0; i < count; ++i) write_stamp(values[i], make_stamp(order.number, first + i));
      if (queue.put_many(values) != count) throw std::runtime_error("a batch did not go in as a whole");
    };
    const auto send_end = [&] {
      write_stamp(values.front(), end_of_stream);
      queue.put(values.front());
    };
    while (worker.next_round()) produce_for(worker.round(), order.shape.batch, send, send_end);
  });
}

template <std::size_t bytes>
int consume_batches(WorkOrder order, Queue<Value<bytes>> queue) {
  return run_worker(order, [&](Worker& worker) {
    const auto receive = [&](StreamCheck& check) {
      std::uint32_t ends = 0;
      for (const Value<bytes>& value : queue.get_many(order.shape.batch)) {
        const std::uint64_t stamp = read_stamp(value);
        if (stamp != end_of_stream) {
          check.add(stamp);
        } else if (++ends > 1) {
          queue.put(value);  // another consumer's
        }
      }
      return ends == 0;
    };
    while (worker.next_round()) consume_until_end(worker.round(), receive);
  });
}

template <std::size_t bytes>
std::shared_ptr<Team> make_team(const Run& run, const Shape& shape) {
  if (shape.bytes == bytes) {
    auto team = std::make_shared<Team>(run.runtime, shape, run.ns_per_tick);
    auto queue = run.runtime.make_queue<Value<bytes>>();
    for (std::uint32_t i = 0; i < shape.producers; ++i) {
      team->add(run.runtime.process({.node = run.far_node()}, produce_batches<bytes>,
                                    team->order_for_next(i, 0, 0), queue));
    }
    for (std::uint32_t i = 0; i < shape.consumers; ++i) {
      team->add(run.runtime.process({.node = run.runtime.node()}, consume_batches<bytes>,
                                    team->order_for_next(i, 0, 0), queue));
    }
    team->wait_until_ready();
    return team;
  }
  if constexpr (bytes < largest_value) return make_team<2 * bytes>(run, shape);
  throw std::runtime_error("batches are measured with messages of 8, 16, 32, ... 4096 bytes, not " +
                           std::to_string(shape.bytes));
}

}  // namespace

Contestant make_batch_contestant(const Run& run, std::uint64_t bytes) {
  const auto team = make_team<smallest_message>(run, {.bytes = bytes,
                                                      .producers = run.options.producers,
                                                      .consumers = run.options.consumers,
                                                      .batch = run.options.batch});
  return {.name = "wyvern",
          .play = [team, seconds = run.options.seconds] { team->run_round(seconds); },
          .result = [team] { return stream_row("throughput", "wyvern", *team); }};
}

}  // namespace wyvern::bench
