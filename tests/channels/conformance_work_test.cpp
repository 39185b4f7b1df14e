#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "conformance.hpp"
#include "support/two_members.hpp"

// Loans, leases, batches, tasks, many threads.
namespace wyvern::test {
namespace {

using namespace std::chrono_literals;

constexpr auto long_enough = 30s;

struct alignas(64) Wide {
  std::uint64_t number;
  std::byte rest[1000];
};

bool is_aligned(const void* memory) {
  return reinterpret_cast<std::uintptr_t>(memory) % message_alignment == 0;
}

class ConformanceWorkTest : public Conformance {};
INSTANTIATE_TEST_SUITE_P(Over, ConformanceWorkTest, all_ways(), way_name);

TEST_P(ConformanceWorkTest, message_is_built_and_read_in_aligned_memory) {
  const auto [there, here] = make<Wide>();
  for (std::uint64_t i = 0; i < 20; ++i) {
    Loan<Wide> loan = here.loan();
    EXPECT_TRUE(is_aligned(&*loan));
    loan->number = i;
    here.put(std::move(loan));
  }
  here.flush();
  for (std::uint64_t i = 0; i < 20; ++i) {
    const Message<Wide> message = there.take();
    EXPECT_EQ(message->number, i);
    there.put(*message);
  }
  for (std::uint64_t i = 0; i < 10; ++i) {
    const Message<Wide> message = here.take();
    EXPECT_TRUE(is_aligned(&*message));
    EXPECT_EQ(message->number, i);
    auto lease = here.lease();
    EXPECT_TRUE(is_aligned(&*lease));
    EXPECT_EQ(lease->number, ++i);
    lease.done();
  }
  EXPECT_EQ(audit_of(there), "");
}

TEST_P(ConformanceWorkTest, loans_of_any_size_arrive_as_they_were_filled) {
  const auto [there, here] = make<std::string>();
  for (const std::size_t size : {0U, 1U, 255U, 257U, 20'000U, 1U << 20U}) {
    ChannelLoan loan = here.channel().loan(size);
    ASSERT_EQ(loan.bytes().size(), size);
    EXPECT_TRUE(is_aligned(loan.bytes().data()));
    std::ranges::fill(loan.bytes(), std::byte{42});
    here.channel().put(std::move(loan));
    EXPECT_EQ(there.channel().get(), std::vector<std::byte>(size, std::byte{42}));
  }
  here.flush();  // so that nothing is left to be said to a home that ends with the test
}

TEST_P(ConformanceWorkTest, loan_that_is_not_put_stays_as_it_was) {
  const auto [there, here] = make<int>({.capacity = 1});
  there.put(0);
  Loan<int> loan = here.loan();
  *loan = 7;
  EXPECT_FALSE(here.try_put(std::move(loan)));
  EXPECT_FALSE(here.try_put_for(5ms, std::move(loan)));
  EXPECT_EQ(*loan, 7);
  EXPECT_EQ(there.get(), 0);
  Loan<int> late = here.loan();
  EXPECT_TRUE(here.try_put_for(long_enough, std::move(loan)));
  EXPECT_EQ(there.get(), 7);
  EXPECT_THROW(here.put(std::move(loan)), InvalidArgument) << "it was put";
  const auto [other_there, other_here] = make<int>();
  *late = 8;
  EXPECT_THROW(other_here.put(std::move(late)), InvalidArgument) << "it is another queue's";
  there.close();
  EXPECT_THROW(here.try_put(std::move(late)), QueueClosed);
  EXPECT_EQ(*late, 8);
}

TEST_P(ConformanceWorkTest, message_that_is_held_outlives_the_handle) {
  auto [there, here] = make<std::string>();
  there.put("one");
  there.put("two");
  const auto message = here.take();
  auto lease = here.lease();
  here = Queue<std::string>();
  EXPECT_EQ(*message, "one");
  EXPECT_EQ(*lease, "two");
  lease.done();
}

TEST_P(ConformanceWorkTest, lease_comes_back_to_the_front_with_a_delivery_more) {
  const auto [there, here] = make<std::string>();
  here.put("first");
  here.put("second");
  for (std::uint32_t delivery = 0; delivery < 3; ++delivery) {
    const auto lease = here.lease();
    EXPECT_EQ(*lease, "first");
    EXPECT_EQ(lease.delivery_count(), delivery);
  }
  wait_for([&, &queue = there] { return queue.size_approx() == 2; });
  auto lease = there.lease();
  EXPECT_EQ(*lease, "first");
  EXPECT_EQ(lease.delivery_count(), 3U);
  lease.done();
  EXPECT_EQ(here.get(), "second");
  EXPECT_EQ(audit_of(there), "");
}

TEST_P(ConformanceWorkTest, lease_that_is_done_is_gone) {
  const auto [there, here] = make<int>();
  here.put(1);
  auto lease = here.lease();
  lease.done();
  EXPECT_THROW(lease.done(), LeaseLost);
  EXPECT_EQ(there.try_get(), std::nullopt);
  EXPECT_EQ(here.join(), 0U);
}

TEST_P(ConformanceWorkTest, closed_queue_ends_for_leases_when_none_is_outstanding) {
  const auto [there, here] = make<int>();
  there.put(1);
  auto lease = std::optional(here.lease());
  there.close();
  EXPECT_FALSE(here.try_lease());
  EXPECT_THROW(here.get(), QueueClosed) << "a get does not wait for leases";
  std::thread waiting([&, &queue = here] {
    queue.lease().done();
    EXPECT_THROW(queue.lease(), QueueClosed);
  });
  lease.reset();
  waiting.join();
}

TEST_P(ConformanceWorkTest, join_waits_until_all_is_done) {
  const auto [there, here] = make<int>();
  EXPECT_EQ(here.join(), 0U) << "nothing was put";
  here.put(1);
  here.put(2);
  here.put(3);
  EXPECT_EQ(here.try_join_for(5ms), std::nullopt);
  EXPECT_EQ(here.try_join_for(0ms), std::nullopt);
  here.get();
  here.task_done();
  there.get();
  there.task_done();
  std::thread joiner([&, &queue = here] { EXPECT_EQ(queue.join(), 0U); });
  auto lease = here.lease();
  lease.done();
  joiner.join();
  EXPECT_EQ(here.try_join_for(0ms), 0U);
  EXPECT_EQ(there.join(), 0U);
  EXPECT_THROW(here.task_done(), InvalidArgument);
  EXPECT_THROW(there.task_done(), InvalidArgument);
}

TEST_P(ConformanceWorkTest, join_counts_what_waits_for_room) {
  const auto [there, here] = make<int>({.capacity = 1});
  std::thread consumer([&, &queue = there] {
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(queue.get(), i);
      queue.task_done();
    }
  });
  for (int i = 0; i < 100; i += 4) {
    for (int n = 0; n < 4; ++n) here.put(i + n);
    EXPECT_EQ(here.join(), 0U);
    EXPECT_EQ(here.size_approx(), 0U);
  }
  consumer.join();
}

TEST_P(ConformanceWorkTest, batches_arrive_in_order) {
  const auto [there, here] = make<std::string>({.capacity = 16});
  std::vector<std::string> sent;
  for (int i = 0; i < 1000; ++i)
    sent.push_back(std::string(i % 97 == 0 ? 20'000 : 5, 'x') + std::to_string(i));
  std::thread producer([&, &queue = here] {
    EXPECT_EQ(queue.put_many(sent), sent.size());
    EXPECT_EQ(queue.put_many(sent, std::stop_token()), sent.size());
    EXPECT_EQ(queue.try_put_many_for(long_enough, sent), sent.size());
  });
  std::vector<std::string> got;
  while (got.size() < 3 * sent.size()) {
    const auto some = there.get_many(100);
    EXPECT_FALSE(some.empty());
    got.insert(got.end(), some.begin(), some.end());
  }
  producer.join();
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], sent[i % sent.size()]) << i;
  EXPECT_EQ(audit_of(there), "");
}

TEST_P(ConformanceWorkTest, batch_takes_what_is_there) {
  const auto [there, here] = make<int>();
  there.put_many(numbers(200));
  EXPECT_EQ(here.get_many(1), std::vector{0});
  EXPECT_EQ(here.get_many(0), std::vector<int>());
  EXPECT_EQ(here.get_many(2), (std::vector{1, 2}));
  EXPECT_EQ(here.try_get_many(1000).size(), 197U);
  EXPECT_TRUE(here.try_get_many(10).empty());
  EXPECT_TRUE(here.try_get_many_for(5ms, 10).empty());
  std::thread consumer([&, &queue = here] { EXPECT_EQ(queue.get_many(10).at(0), 5); });
  there.put(5);
  consumer.join();
  EXPECT_EQ(audit_of(there), "");
}

/// A batch of what a queue brings, one after another.
TEST_P(ConformanceWorkTest, message_of_an_unfinished_batch_arrives) {
  const auto [there, here] = make<int>();
  const auto [replies_there, replies_here] = make<int>();
  std::thread echo([&, &requests = there, &replies = replies_there] {
    for (int i = 0; i < 100; ++i) replies.put(requests.get());
    replies.close();
  });
  here.put(-1);
  EXPECT_EQ(here.put_many(replies_here), 100U) << "each message is put when the one before has come back";
  echo.join();
  EXPECT_EQ(there.get(), -1);
}

TEST_P(ConformanceWorkTest, encoder_that_throws_in_a_batch_leaves_those_before) {
  const auto [there, here] = make<std::string>();
  const auto texts = std::views::iota(0) | std::views::transform([](int i) {
                       if (i == 3) throw std::runtime_error("no more");
                       return std::to_string(i);
                     });
  EXPECT_THROW(here.put_many(texts), std::runtime_error);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(there.get(), std::to_string(i));
  here.flush();
  EXPECT_EQ(there.try_get(), std::nullopt);
}

TEST_P(ConformanceWorkTest, batch_of_large_messages_comes_whole) {
  const auto [there, here] = make<std::string>();
  std::vector<std::string> sent;
  for (int i = 0; i < 20; ++i) sent.emplace_back(i % 2 == 0 ? 50'000 : 10, static_cast<char>('a' + i));
  EXPECT_EQ(here.put_many(sent), sent.size());
  EXPECT_EQ(here.get_many(100), sent);
}

TEST_P(ConformanceWorkTest, batch_says_how_many_there_was_room_for) {
  const auto [there, here] = make<int>({.capacity = 4});
  EXPECT_EQ(here.try_put_many(numbers(10)), 4U);
  EXPECT_EQ(here.try_put_many(numbers(10)), 0U);
  EXPECT_EQ(here.try_put_many_for(5ms, numbers(10)), 0U);
  EXPECT_EQ(here.put_many(std::vector<int>()), 0U);
  EXPECT_EQ(there.get_many(10), numbers(4));
  EXPECT_EQ(here.try_put_many_for(50ms, numbers(10)), 4U);
  EXPECT_EQ(there.get_many(10), numbers(4));
  EXPECT_EQ(there.try_get(), std::nullopt);
}

TEST_P(ConformanceWorkTest, batch_of_more_than_one_message_of_a_network_goes_in_as_far_as_there_is_room) {
  const auto [there, here] = make<std::string>({.capacity = 1500});
  std::vector<std::string> sent;
  for (int i = 0; i < 5000; ++i) sent.push_back(std::to_string(i) + std::string(60, 'x'));
  const std::vector<std::string> expected(sent.begin(), sent.begin() + 1500);
  const auto get_all = [&, &queue = there] {
    std::vector<std::string> got;
    while (auto message = queue.try_get()) got.push_back(std::move(*message));
    return got;
  };
  EXPECT_EQ(here.try_put_many(sent), expected.size());
  EXPECT_EQ(get_all(), expected);
  EXPECT_EQ(here.try_put_many_for(50ms, sent), expected.size());
  EXPECT_EQ(get_all(), expected);
  EXPECT_EQ(here.put_many(expected), expected.size());
  EXPECT_EQ(get_all(), expected);
  EXPECT_EQ(audit_of(there), "");
}

TEST_P(ConformanceWorkTest, batch_says_how_many_went_in_before_the_close) {
  const auto [there, here] = make<int>({.capacity = 4});
  std::thread closer([&, &queue = there] {
    EXPECT_EQ(queue.get(), 0);
    wait_for([&] { return queue.size_approx() == 4; });
    queue.close();
  });
  EXPECT_EQ(here.put_many(numbers(100)), 5U);
  closer.join();
  EXPECT_EQ(here.get_many(10), (std::vector{1, 2, 3, 4}));
  EXPECT_THROW(here.put_many(numbers(3)), QueueClosed);
}

TEST_P(ConformanceWorkTest, every_item_arrives_once_and_in_its_producers_order) {
  constexpr int producers = 4;
  constexpr int each = 1000;
  const auto [there, here] = make<std::pair<int, int>>({.capacity = 32});
  std::vector<std::thread> threads;
  for (int who = 0; who < producers; ++who) {
    threads.emplace_back([&, who, &queue = who % 2 == 0 ? here : there] {
      for (int i = 0; i < each; i += 10) {
        if (i % 3 == 0) {
          for (int n = i; n < i + 10; ++n) queue.put({who, n});
        } else {
          std::vector<std::pair<int, int>> batch;
          for (int n = i; n < i + 10; ++n) batch.emplace_back(who, n);
          EXPECT_EQ(queue.put_many(batch), 10U);
        }
      }
      queue.flush();
    });
  }
  std::vector<std::vector<std::pair<int, int>>> got(4);
  std::vector<std::thread> consumers;
  for (std::size_t who = 0; who < got.size(); ++who) {
    consumers.emplace_back([&, who, &queue = who % 2 == 0 ? here : there] {
      try {
        while (true) {
          if (who < 2) {
            got[who].push_back(queue.get());
          } else {
            for (const auto& item : queue.get_many(7)) got[who].push_back(item);
          }
        }
      } catch (const QueueClosed&) {
        // All has been got.
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  there.close();
  for (std::thread& thread : consumers) thread.join();
  std::vector<std::vector<int>> seen(producers, std::vector<int>(each));
  for (const auto& items : got) {
    std::vector<int> last(producers, -1);
    for (const auto& [who, number] : items) {
      EXPECT_GT(number, last[static_cast<std::size_t>(who)]);
      last[static_cast<std::size_t>(who)] = number;
      ++seen[static_cast<std::size_t>(who)][static_cast<std::size_t>(number)];
    }
  }
  for (const auto& counts : seen) EXPECT_EQ(counts, std::vector<int>(each, 1));
  EXPECT_EQ(audit_of(there), "");
}

}  // namespace
}  // namespace wyvern::test
