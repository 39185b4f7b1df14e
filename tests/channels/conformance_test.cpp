#include "conformance.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "support/two_members.hpp"

// Puts and gets in all their forms, the end of a queue.
namespace wyvern::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr auto long_enough = 30s;

class ConformanceTest : public Conformance {};
INSTANTIATE_TEST_SUITE_P(Over, ConformanceTest, all_ways(), way_name);

TEST_P(ConformanceTest, values_arrive_in_order_both_ways) {
  const auto [there, here] = make<std::string>();
  for (int i = 0; i < 500; ++i) here.put(std::to_string(i));
  for (int i = 0; i < 500; ++i) EXPECT_EQ(there.get(), std::to_string(i));
  for (int i = 0; i < 500; ++i) there.put(std::to_string(i));
  for (int i = 0; i < 500; ++i) EXPECT_EQ(here.get(), std::to_string(i));
  EXPECT_EQ(here.try_get(), std::nullopt);
}

TEST_P(ConformanceTest, handles_of_a_queue_are_equal) {
  const auto [there, here] = make<int>({.capacity = 7});
  const auto [other_there, other_here] = make<int>();
  EXPECT_EQ(open_here(there), here);
  EXPECT_NE(other_here, here);
  EXPECT_EQ(here.id(), there.id());
  EXPECT_EQ(here.capacity(), 7U);
  EXPECT_TRUE(here);
  EXPECT_EQ(here.producer().id(), here.consumer().id());
}

TEST_P(ConformanceTest, puts_with_a_limit_say_whether_there_was_room) {
  const auto [there, here] = make<int>({.capacity = 2});
  EXPECT_TRUE(here.try_put(0));
  EXPECT_TRUE(here.try_put_for(long_enough, 1));
  EXPECT_FALSE(here.try_put(2));
  EXPECT_FALSE(here.try_put_for(5ms, 2));
  EXPECT_FALSE(here.try_put_for(-1ms, 2));
  EXPECT_FALSE(here.try_put_until(steady_clock::now() + 5ms, 2));
  EXPECT_FALSE(here.try_put_until(system_clock::now() - 1h, 2));
  EXPECT_EQ(there.get(), 0);
  EXPECT_TRUE(here.try_put_until(steady_clock::now() + long_enough, 2));
  EXPECT_EQ(there.get(), 1);
  EXPECT_EQ(there.get(), 2);
  EXPECT_EQ(there.try_get(), std::nullopt);
}

TEST_P(ConformanceTest, gets_with_a_limit_say_whether_there_was_a_message) {
  const auto [there, here] = make<int>();
  EXPECT_EQ(here.try_get(), std::nullopt);
  EXPECT_EQ(here.try_get_for(5ms), std::nullopt);
  EXPECT_EQ(here.try_get_until(steady_clock::now() + 5ms), std::nullopt);
  EXPECT_FALSE(here.try_take());
  EXPECT_FALSE(here.try_take_for(5ms));
  EXPECT_FALSE(here.try_lease());
  EXPECT_FALSE(here.try_lease_for(5ms));
  for (int i = 0; i < 6; ++i) there.put(i);
  EXPECT_EQ(here.try_get(), 0);
  EXPECT_EQ(here.try_get_for(long_enough), 1);
  EXPECT_EQ(here.try_get_until(system_clock::now() + long_enough), 2);
  EXPECT_EQ(**here.try_take(), 3);
  EXPECT_EQ(**here.try_take_for(long_enough), 4);
  auto lease = here.try_lease_for(long_enough);
  ASSERT_TRUE(lease);
  EXPECT_EQ(**lease, 5);
  lease->done();
  EXPECT_EQ(audit_of(there), "");
}

TEST_P(ConformanceTest, put_waits_for_room) {
  const auto [there, here] = make<int>({.capacity = 1});
  std::thread producer([&] {
    for (int i = 0; i < 300; ++i) EXPECT_TRUE(here.try_put_for(long_enough, i));
    for (int i = 300; i < 600; ++i) here.put(i);
  });
  for (int i = 0; i < 600; ++i) EXPECT_EQ(there.get(), i);
  producer.join();
}

TEST_P(ConformanceTest, get_waits_for_a_message) {
  const auto [there, here] = make<int>({.capacity = 1});
  std::thread consumer([&] {
    for (int i = 0; i < 300; ++i) EXPECT_EQ(here.get(), i);
    for (int i = 300; i < 600; ++i) EXPECT_EQ(*here.take(), i);
  });
  for (int i = 0; i < 600; ++i) there.put(i);
  consumer.join();
}

TEST_P(ConformanceTest, calls_that_are_stopped_have_changed_nothing) {
  const auto [there, here] = make<int>({.capacity = 1});
  for (const bool is_stopped_before : {true, false}) {
    std::stop_source stop;
    const std::stop_token token = stop.get_token();
    std::thread stopper;
    if (is_stopped_before) {
      stop.request_stop();
    } else {
      stopper = std::thread([&] { stop.request_stop(); });
    }
    EXPECT_EQ(here.get(token), std::nullopt);
    EXPECT_FALSE(here.take(token));
    EXPECT_FALSE(here.lease(token));
    EXPECT_TRUE(here.get_many(5, token).empty());
    EXPECT_EQ(here.join(), 0U);
    there.put(1);
    EXPECT_FALSE(here.put(2, token));
    EXPECT_EQ(here.put_many(numbers(3), token), 0U);
    EXPECT_EQ(here.join(token), std::nullopt);
    EXPECT_EQ(there.get(), 1);
    EXPECT_EQ(there.try_get(), std::nullopt);
    there.task_done();
    if (stopper.joinable()) stopper.join();
  }
}

TEST_P(ConformanceTest, closed_queue_is_drained_and_then_at_its_end) {
  const auto [there, here] = make<int>();
  for (int i = 0; i < 3; ++i) here.put(i);
  here.close();
  here.close();
  EXPECT_THROW(there.put(3), QueueClosed);
  EXPECT_THROW(here.put(3), QueueClosed);
  EXPECT_THROW(here.try_put(3), QueueClosed);
  EXPECT_THROW(here.put_many(numbers(3)), QueueClosed);
  EXPECT_EQ(here.get(), 0);
  EXPECT_EQ(*here.take(), 1);
  EXPECT_EQ(there.get(), 2);
  EXPECT_THROW(here.get(), QueueClosed);
  EXPECT_THROW(here.try_get(), QueueClosed);
  EXPECT_THROW(here.take(), QueueClosed);
  EXPECT_THROW(here.lease(), QueueClosed);
  EXPECT_THROW(here.get_many(3), QueueClosed);
  EXPECT_THROW(here.try_get_for(long_enough), QueueClosed);
}

TEST_P(ConformanceTest, close_by_another_process_is_noticed) {
  const auto [there, here] = make<int>();
  there.put(7);
  there.close();
  EXPECT_THROW(here.try_put(1), QueueClosed);
  EXPECT_THROW(here.try_put_for(long_enough, 1), QueueClosed);
  EXPECT_THROW(
      {
        here.put(1);  // by the way of a queue on another node it may be told by what follows
        here.flush();
      },
      QueueClosed);
  EXPECT_EQ(here.get(), 7);
  EXPECT_THROW(here.get(), QueueClosed);
}

TEST_P(ConformanceTest, iteration_ends_with_the_queue) {
  const auto [there, here] = make<int>();
  for (int i = 0; i < 50; ++i) there.put(i);
  there.close();
  std::vector<int> seen;
  for (const int value : here) seen.push_back(value);
  EXPECT_EQ(seen, numbers(50));
}

TEST_P(ConformanceTest, close_wakes_whoever_is_blocked) {
  const auto [there, here] = make<int>({.capacity = 1});
  const auto [full_there, full_here] = make<int>({.capacity = 1});
  full_there.put(0);
  std::vector<std::thread> blocked;
  blocked.emplace_back([&, &queue = here] { EXPECT_THROW(queue.get(), QueueClosed); });
  blocked.emplace_back([&, &queue = here] { EXPECT_THROW(queue.take(), QueueClosed); });
  blocked.emplace_back([&, &queue = here] { EXPECT_THROW(queue.lease(), QueueClosed); });
  blocked.emplace_back([&, &queue = here] { EXPECT_THROW(queue.get_many(3), QueueClosed); });
  blocked.emplace_back(
      [&, &queue = full_here] { EXPECT_THROW(queue.try_put_for(long_enough, 1), QueueClosed); });
  blocked.emplace_back([&, &queue = full_here] {
    EXPECT_THROW(
        {
          queue.put(1);
          queue.flush();
        },
        QueueClosed);
  });
  blocked.emplace_back([&, &queue = full_here] { EXPECT_THROW(queue.put_many(numbers(5)), QueueClosed); });
  there.close();
  full_there.close();
  for (std::thread& thread : blocked) thread.join();
  EXPECT_EQ(full_here.get(), 0);
  EXPECT_THROW(full_here.get(), QueueClosed);
}

TEST_P(ConformanceTest, close_wakes_who_is_blocked_in_the_same_process) {
  for (int round = 0; round < 20; ++round) {
    const auto [there, here] = make<int>({.capacity = 1});
    here.put(0);
    std::thread limited([&, &queue = here] { EXPECT_THROW(queue.try_put_for(long_enough, 1), QueueClosed); });
    std::thread unlimited([&, &queue = here] {
      EXPECT_THROW(
          {
            while (true) queue.put(2);
          },
          QueueClosed);
    });
    std::thread closes([&, &queue = here] { queue.close(); });
    limited.join();
    unlimited.join();
    EXPECT_EQ(there.get(), 0);
    EXPECT_THROW(
        {
          while (true) EXPECT_EQ(there.get(), 2);
        },
        QueueClosed);
    closes.join();
  }
}

TEST_P(ConformanceTest, nothing_that_was_accepted_is_behind_the_end) {
  for (int round = 0; round < 20; ++round) {
    const auto [there, here] = make<int>({.capacity = 8});
    std::thread producer([&, &queue = here] {
      int accepted = 0;
      try {
        while (queue.try_put_for(long_enough, accepted)) ++accepted;
      } catch (const QueueClosed&) {
        int got = 0;
        try {
          while (true) EXPECT_EQ(queue.get(), got++);
        } catch (const QueueClosed&) {
          EXPECT_EQ(got - 1, accepted);
        }
      }
    });
    wait_for([&, &queue = there] { return queue.size_approx() >= 1; });
    there.close();
    producer.join();
  }
}

TEST_P(ConformanceTest, without_a_window_each_put_is_in_the_queue_when_it_returns) {
  const auto [there, here] = make<int>({.capacity = 4, .window = 0});
  for (int i = 0; i < 4; ++i) {
    here.put(i);
    EXPECT_EQ(there.size_approx(), static_cast<std::uint64_t>(i) + 1);
  }
  std::thread putter([&, &queue = here] { queue.put(4); });
  for (int i = 0; i < 5; ++i) EXPECT_EQ(there.get(), i);
  putter.join();
}

TEST_P(ConformanceTest, close_comes_behind_what_the_same_process_has_put) {
  constexpr int messages = 500;
  const auto [there, here] = make<int>({.capacity = 2});
  std::thread producer([&] {
    for (int i = 0; i < messages; ++i) here.put(i);
    here.close();
  });
  int count = 0;
  for (const int value : there) EXPECT_EQ(value, count++);
  producer.join();
  EXPECT_EQ(count, messages);
}

TEST_P(ConformanceTest, sizes_are_exact_when_nobody_is_at_work) {
  const auto [there, here] = make<int>({.capacity = 3});
  EXPECT_TRUE(here.empty_approx());
  EXPECT_EQ(here.size_approx(), 0U);
  EXPECT_FALSE(here.full_approx());
  here.put(1);
  here.put(2);
  here.flush();
  EXPECT_EQ(here.size_approx(), 2U);
  EXPECT_EQ(there.size_approx(), 2U);
  EXPECT_FALSE(here.empty_approx());
  EXPECT_FALSE(here.full_approx());
  here.put(3);
  here.flush();
  EXPECT_TRUE(here.full_approx());
  EXPECT_TRUE(here.producer().full_approx());
  here.get();
  EXPECT_FALSE(here.full_approx());
  EXPECT_EQ(here.consumer().size_approx(), 2U);
}

TEST_P(ConformanceTest, queue_is_opened_with_the_type_it_was_made_with) {
  const auto [there, here] = make<int>();
  const Queue<std::string> other(make<std::string>().there);
  EXPECT_THROW(Queue<double>(Member::current(), there.channel().reference()), TypeMismatch);
  EXPECT_THROW(Queue<int>(Member::current(), other.channel().reference()), TypeMismatch);
  here.put(1);
  EXPECT_EQ(there.get(), 1);
}

TEST_P(ConformanceTest, queue_that_has_gone_is_lost) {
  const ObjectReference gone{.id = ObjectId::make(0, 1, 999), .index = 5};
  EXPECT_THROW(Queue<int>(Member::current(), gone), QueueLost);
}

TEST(ConformanceOfNoQueueTest, default_constructed_handle_refers_to_nothing) {
  const Queue<int> queue;
  EXPECT_FALSE(queue);
  EXPECT_THROW(queue.put(1), InvalidArgument);
  EXPECT_THROW(queue.get(), InvalidArgument);
  EXPECT_THROW(queue.take(), InvalidArgument);
  EXPECT_THROW(queue.lease(), InvalidArgument);
  EXPECT_THROW(queue.loan(), InvalidArgument);
  EXPECT_THROW(queue.put_many(numbers(2)), InvalidArgument);
  EXPECT_THROW(queue.get_many(2), InvalidArgument);
  EXPECT_THROW(queue.flush(), InvalidArgument);
  EXPECT_THROW(queue.close(), InvalidArgument);
  EXPECT_THROW(queue.task_done(), InvalidArgument);
  EXPECT_THROW(queue.join(), InvalidArgument);
  EXPECT_THROW(queue.size_approx(), InvalidArgument);
  EXPECT_THROW(queue.full_approx(), InvalidArgument);
  EXPECT_THROW(queue.capacity(), InvalidArgument);
  EXPECT_THROW(queue.id(), InvalidArgument);
  EXPECT_THROW(queue.channel().local(), InvalidArgument);
}

}  // namespace
}  // namespace wyvern::test
