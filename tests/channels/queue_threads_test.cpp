#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "support/history.hpp"
#include "support/local_node.hpp"

namespace wyvern::test {
namespace {

struct Load {
  std::size_t producers;
  std::size_t consumers;
  std::uint64_t capacity;
  std::uint64_t messages;  ///< of each producer
  std::size_t bytes;
};

class QueueThreads : public ::testing::TestWithParam<Load> {};

TEST_P(QueueThreads, each_message_arrives_once_and_in_order_of_its_producer) {
  const Load load = GetParam();
  LocalNode node;
  const auto owner = node.join();
  const Channel channel =
      Channel::create(owner, {.capacity = load.capacity, .inline_size = 64}, 1, "stamped");
  History history(load.producers + load.consumers, load.producers * load.messages);
  std::vector<std::jthread> producers;
  std::vector<std::jthread> consumers;
  const auto worker = [&](auto work) {
    const auto member = node.join();
    auto log = history.add(member->puid());
    return std::jthread([&, member, log, work]() mutable {
      work(log, Channel::open(member, channel.reference(), 1, "stamped"));
    });
  };
  for (std::size_t i = 0; i < load.consumers; ++i) {
    consumers.push_back(worker([&](History::Writer& log, Channel mine) {
      try {
        while (true) log.got(read_stamped(mine.get()));
      } catch (const QueueClosed&) {
      }
    }));
  }
  for (std::size_t i = 0; i < load.producers; ++i) {
    producers.push_back(worker([&](History::Writer& log, Channel mine) {
      for (std::uint64_t message = 0; message < load.messages; ++message) {
        mine.put(make_stamped(log.begin_put(), load.bytes));
        log.put_ended();
      }
    }));
  }
  producers.clear();
  Channel(channel).close();
  consumers.clear();

  EXPECT_EQ(history.problems(), "");
  EXPECT_EQ(history.total_got(), load.producers * load.messages);
  EXPECT_EQ(audit(node.segment(), channel.reference()), "");
  EXPECT_EQ(audit_node(node.segment()), "");
}

INSTANTIATE_TEST_SUITE_P(loads, QueueThreads,
                         ::testing::Values(Load{1, 1, 1, 3'000, 16}, Load{1, 1, 128, 20'000, 16},
                                           Load{4, 4, 1, 1'000, 16}, Load{4, 4, 2, 2'000, 64},
                                           Load{3, 2, 5, 4'000, 65}, Load{1, 8, 16, 8'000, 16},
                                           Load{8, 1, 16, 1'000, 16}, Load{8, 8, 128, 2'000, 64},
                                           Load{4, 4, 8, 500, 5'000}, Load{2, 2, 3, 200, 100'000}),
                         [](const auto& instance) {
                           const Load& load = instance.param;
                           return std::to_string(load.producers) + "x" + std::to_string(load.consumers) +
                                  "_capacity_" + std::to_string(load.capacity) + "_bytes_" +
                                  std::to_string(load.bytes);
                         });

TEST(QueueThreadsOfOneProcess, share_one_opening) {
  constexpr int threads = 12;
  constexpr int rounds = 2'000;
  LocalNode node;
  const auto member = node.join();
  auto queue = make_queue<int>(member, {.capacity = 7});
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < threads; ++i) {
      workers.emplace_back([&] {
        for (int round = 0; round < rounds; ++round) {
          queue.put(round);  // at most one message a thread is in the queue, so nobody waits for ever
          queue.get();
        }
      });
    }
  }
  EXPECT_TRUE(queue.empty_approx());
  EXPECT_EQ(audit(node.segment(), queue.channel().reference()), "");
  EXPECT_EQ(audit_node(node.segment()), "");
}

TEST(QueueThreadsOfOneProcess, large_payloads_stay_below_max_bytes_and_none_waits_for_ever) {
  constexpr int rounds = 300;
  LocalNode node;
  const auto member = node.join();
  const Channel channel = Channel::create(member, {.capacity = 16, .max_bytes = 20'000}, 1, "stamped");
  {
    std::vector<std::jthread> workers;
    for (std::uint64_t i = 0; i < 3; ++i) {
      workers.emplace_back([&, i, mine = channel]() mutable {
        for (std::uint64_t round = 0; round < rounds; ++round)
          mine.put(make_stamped({Puid(i + 1), round}, 5'000 + 3'000 * i));
      });
      workers.emplace_back([mine = channel]() mutable {
        for (int round = 0; round < rounds; ++round) read_stamped(mine.get());
      });
    }
  }
  EXPECT_EQ(audit(node.segment(), channel.reference()), "");
  EXPECT_EQ(audit_node(node.segment()), "");
}

}  // namespace
}  // namespace wyvern::test
