#include "bench/queue/fiber_gets.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <wyvern/wyvern.hpp>

#include "bench/common/contest.hpp"
#include "bench/queue/endpoints.hpp"
#include "bench/queue/queue_team.hpp"

namespace wyvern::bench {
namespace {

/// Messages that are there when the gets begin: a queue has room for them.
constexpr std::uint64_t messages_at_a_time = 1000;

class Getters {
 public:
  Getters(const Channel& channel, std::uint32_t fibers) : channel_(channel), fibers_(fibers) {}

  /// Gets so many messages. What they were.
  Tally get(std::uint64_t messages) {
    left_ = messages;
    got_ = {};
    if (fibers_ == 0) {
      get_on();
    } else {
      std::vector<Fiber<>> fibers;
      for (std::uint32_t i = 0; i < fibers_; ++i) fibers.emplace_back([this] { get_on(); });
      for (Fiber<>& fiber : fibers) fiber.join();
    }
    return got_;
  }

 private:
  void get_on() {
    for (; left_ != 0;) {
      --left_;
      got_.add(read_stamp(channel_.get()));
    }
  }

  const Channel& channel_;
  std::uint32_t fibers_;
  std::uint64_t left_ = 0;
  Tally got_{};
};

/// Puts messages into a queue of the other node, and gets them back, which alone is counted.
int fill_and_get(QueueOrder order) {
  return run_worker(order.work, [&](Worker& worker) {
    const Channel channel = order.channels.at(0);
    Getters getters(channel, order.work.shape.fibers);
    Buffer outgoing(order.work.shape.bytes);
    while (worker.next_round()) {
      const Round round = worker.round();
      Tally in_all{};
      Ticks took = 0;
      for (std::uint64_t next = 0; took < round.ticks();) {
        Tally put{};
        for (const std::uint64_t end = next + messages_at_a_time; next != end; ++next) {
          write_stamp(outgoing.bytes(), next);
          channel.put(outgoing.bytes());
          put.add(next);
        }
        channel.flush();
        const Ticks start = now_ticks();
        const Tally got = getters.get(messages_at_a_time);
        took += now_ticks() - start;
        if (got != put) throw std::runtime_error("other messages came back than were put");
        in_all.add(got);
      }
      round.slot.tallies.at(0) = in_all;
      round.slot.begin_ns = 0;
      round.slot.end_ns = static_cast<std::uint64_t>(static_cast<double>(took) * order.work.ns_per_tick);
    }
  });
}

/// With the rows of a case of so many fibers.
Contestant make_contestant(const std::shared_ptr<QueueTeam>& team, double seconds, std::uint32_t fibers,
                           const std::string& name) {
  const auto row = [team, fibers, name] {
    const WorkerSlot& slot = team->slot(0);
    const std::uint64_t messages = slot.tallies.at(0).count;
    return Row{.benchmark = "get-roundtrip",
               .system = name,
               .bytes = team->shape().bytes,
               .fibers = fibers,
               .messages = messages,
               .messages_per_s = static_cast<double>(messages) * 1e9 / static_cast<double>(slot.end_ns)};
  };
  return {.name = name, .play = [team, seconds] { team->run_round(seconds); }, .result = row};
}

std::shared_ptr<QueueTeam> make_team(const Run& run, const Shape& shape) {
  auto team = std::make_shared<QueueTeam>(run, Measured(), shape);
  team->add_far(fill_and_get, 0, 0, 0);
  team->wait_until_ready();
  return team;
}

}  // namespace

std::vector<Row> measure_gets_of_fibers(const Run& run) {
  std::vector<Row> rows;
  const double seconds = run.options.seconds;
  for (const std::uint64_t bytes : run.options.sizes) {
    const auto thread = make_team(run, {.bytes = bytes});
    for (const std::uint32_t fibers : run.options.fibers) {
      const Contestant ours =
          make_contestant(make_team(run, {.bytes = bytes, .fibers = fibers}), seconds, fibers, "wyvern");
      const std::vector<Contestant> others{make_contestant(thread, seconds, fibers, "thread")};
      const auto more =
          compete(ours, others, {.repetitions = run.options.repetitions}, run.progress,
                  "get-roundtrip, " + std::to_string(bytes) + " bytes, fibers: " + std::to_string(fibers));
      rows.insert(rows.end(), more.begin(), more.end());
    }
  }
  return rows;
}

}  // namespace wyvern::bench
