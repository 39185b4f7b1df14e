#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "conformance.hpp"

// Queues whose messages a process of another node gets before it asks for them: nothing else changes.
namespace wyvern::test {
namespace {

using namespace std::chrono_literals;

class ConformancePrefetchTest : public Conformance {};
INSTANTIATE_TEST_SUITE_P(Over, ConformancePrefetchTest, all_ways(), way_name);

TEST_P(ConformancePrefetchTest, messages_come_once_and_in_order_until_the_close) {
  constexpr int messages = 3000;
  for (const std::uint32_t prefetch : {1U, 2U, 64U}) {
    const auto [there, here] = make<int>({.capacity = 16, .prefetch = prefetch});
    std::thread producer([&, &queue = there] {
      for (int i = 0; i < messages; ++i) queue.put(i);
      queue.close();
    });
    for (int i = 0; i < messages; ++i) EXPECT_EQ(here.get(), i);
    EXPECT_THROW(here.get(), QueueClosed);
    EXPECT_THROW(here.try_get(), QueueClosed);
    producer.join();
  }
}

TEST_P(ConformancePrefetchTest, get_that_waits_for_nothing_finds_whatever_is_in_the_queue) {
  const auto [there, here] = make<int>({.prefetch = 4});
  EXPECT_EQ(here.try_get(), std::nullopt);
  for (int i = 0; i < 100; ++i) {
    there.put(2 * i);
    there.put(2 * i + 1);
    EXPECT_EQ(here.try_get(), 2 * i);
    EXPECT_EQ(here.try_get(), 2 * i + 1);
    EXPECT_EQ(here.try_get(), std::nullopt);
  }
}

TEST_P(ConformancePrefetchTest, gets_that_wait_for_nothing_are_in_order_beside_a_producer) {
  constexpr int messages = 2000;
  const auto [there, here] = make<int>({.prefetch = 4});
  std::thread producer([&, &queue = there] {
    for (int i = 0; i < messages; ++i) {
      queue.put(i);
      if (i % 3 == 0) std::this_thread::yield();
    }
  });
  for (int next = 0; next < messages;) {
    const auto value = here.try_get();
    if (!value) continue;
    EXPECT_EQ(*value, next++);
  }
  producer.join();
  EXPECT_EQ(here.try_get(), std::nullopt);
}

TEST_P(ConformancePrefetchTest, leases_are_given_beside_gets_that_wait) {
  const auto [there, here] = make<int>({.prefetch = 4});
  std::atomic<bool> over = false;
  std::thread getter([&, &queue = here] {
    try {
      while (true) queue.get();
    } catch (const QueueClosed&) {
    }
  });
  std::thread producer([&, &queue = there] {
    while (!over) {
      queue.put(1);
      std::this_thread::yield();
    }
  });
  for (int i = 0; i < 20; ++i) here.lease().done();
  over = true;
  producer.join();
  there.close();
  getter.join();
}

TEST_P(ConformancePrefetchTest, get_that_comes_to_its_limit_loses_nothing) {
  const auto [there, here] = make<int>({.prefetch = 4});
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(here.try_get_for(100us), std::nullopt);
    there.put(i);
    EXPECT_EQ(here.get(), i);
  }
}

TEST_P(ConformancePrefetchTest, what_was_not_asked_for_goes_back_in_order_with_the_handle) {
  auto [there, here] = make<int>({.prefetch = 16});
  for (int i = 0; i < 20; ++i) there.put(i);
  EXPECT_EQ(here.get(), 0);
  EXPECT_EQ(here.get(), 1);
  here = Queue<int>();
  wait_for([&, &queue = there] { return queue.size_approx() == 18; });
  for (int i = 2; i < 20; ++i) EXPECT_EQ(there.get(), i);
  EXPECT_EQ(there.try_get(), std::nullopt);
}

TEST_P(ConformancePrefetchTest, lease_comes_before_what_was_not_asked_for) {
  const auto [there, here] = make<int>({.prefetch = 16});
  for (int i = 0; i < 20; ++i) there.put(i);
  EXPECT_EQ(here.get(), 0);
  {
    auto lease = here.lease();
    EXPECT_EQ(*lease, 1);
    EXPECT_EQ(lease.delivery_count(), 0U);
    lease.done();
  }
  for (int i = 2; i < 20; ++i) EXPECT_EQ(here.get(), i);
}

TEST_P(ConformancePrefetchTest, batches_take_what_has_come) {
  const auto [there, here] = make<int>({.prefetch = 16});
  for (int i = 0; i < 100; ++i) there.put(i);
  int next = 0;
  while (next < 100) {
    for (const int value : here.get_many(10)) EXPECT_EQ(value, next++);
  }
  EXPECT_EQ(here.try_get(), std::nullopt);
}

TEST_P(ConformancePrefetchTest, large_messages_come_whole) {
  const auto [there, here] = make<std::string>({.prefetch = 8});
  for (char letter = 'a'; letter <= 'z'; ++letter) there.put(std::string(100'000, letter));
  for (char letter = 'a'; letter <= 'z'; ++letter) EXPECT_EQ(here.get(), std::string(100'000, letter));
}

TEST_P(ConformancePrefetchTest, threads_side_by_side_get_each_message_once) {
  constexpr int messages = 2000;
  const auto [there, here] = make<int>({.capacity = 64, .prefetch = 8});
  std::array<std::vector<int>, 4> got;
  std::vector<std::thread> threads;
  for (std::vector<int>& mine : got) {
    threads.emplace_back([&mine, &queue = here] {
      for (const int value : queue) mine.push_back(value);
    });
  }
  for (int i = 0; i < messages; ++i) there.put(i);
  there.close();
  for (std::thread& thread : threads) thread.join();
  std::vector<int> count(messages);
  for (const std::vector<int>& mine : got) {
    EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
    for (const int value : mine) ++count.at(static_cast<std::size_t>(value));
  }
  EXPECT_EQ(count, std::vector<int>(messages, 1));
}

TEST_P(ConformancePrefetchTest, tasks_that_were_not_asked_for_are_not_done) {
  auto [there, here] = make<int>({.prefetch = 16});
  for (int i = 0; i < 3; ++i) there.put(i);
  EXPECT_EQ(here.get(), 0);
  here.task_done();
  EXPECT_THROW(here.task_done(), InvalidArgument);
  here = Queue<int>();
  EXPECT_EQ(there.try_join_for(1ms), std::nullopt);
  // While one is on its way back, the one behind it may be got.
  wait_for([&, &queue = there] { return queue.size_approx() == 2; });
  for (int i = 1; i < 3; ++i) {
    EXPECT_EQ(there.get(), i);
    there.task_done();
  }
  EXPECT_EQ(there.join(), 0U);
}

}  // namespace
}  // namespace wyvern::test
