#include <atomic>
#include <cstdint>
#include <future>
#include <list>
#include <ranges>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "support/two_members.hpp"

namespace wyvern::test {

/// A value that can refuse to travel.
struct Touchy {
  int value = 0;
};

}  // namespace wyvern::test

template <>
struct wyvern::Codec<wyvern::test::Touchy> {
  static void encode(Encoder& encoder, const test::Touchy& touchy) {
    if (touchy.value < 0) throw std::runtime_error("negative");
    encoder(touchy.value);
  }
  static test::Touchy decode(Decoder& decoder) { return {decoder.read<int>()}; }
};

namespace wyvern::test {
namespace {

class BatchTest : public TwoMembers {};

TEST_F(BatchTest, no_messages_put_nothing) {
  auto queue = make<int>();
  EXPECT_EQ(queue.put_many(std::vector<int>()), 0U);
  EXPECT_EQ(queue.try_put_many(std::vector<int>()), 0U);
  EXPECT_TRUE(queue.empty_approx());
}

TEST_F(BatchTest, every_message_of_a_batch_is_got_in_order_whichever_way) {
  for (const int count : {1, 2, 31, 32, 33, 100, 1'024}) {
    auto queue = make<int>();
    EXPECT_EQ(queue.put_many(numbers(count)), static_cast<std::size_t>(count));
    EXPECT_EQ(queue.size_approx(), static_cast<std::uint64_t>(count));
    for (int i = 0; i < count; ++i) ASSERT_EQ(queue.get(), i);

    queue.put_many(numbers(count));
    EXPECT_EQ(open_as(other_, queue).get_many(static_cast<std::size_t>(count)), numbers(count));
    EXPECT_TRUE(queue.empty_approx());
    EXPECT_EQ(audit_of(queue), "");
  }
}

TEST_F(BatchTest, batches_keep_their_order_lap_after_lap) {
  auto queue = make<int>({.capacity = 5});
  int put = 0;
  int got = 0;
  for (int round = 0; round < 100; ++round) {
    put += static_cast<int>(queue.try_put_many(std::views::iota(put, put + round % 7)));
    for (const int value : queue.try_get_many(static_cast<std::size_t>(round % 5))) ASSERT_EQ(value, got++);
  }
  for (const int value : queue.try_get_many(100)) ASSERT_EQ(value, got++);
  EXPECT_EQ(got, put);
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(BatchTest, try_put_many_puts_what_there_is_room_for) {
  auto queue = make<int>({.capacity = 3});
  EXPECT_EQ(queue.try_put_many(numbers(5)), 3U);
  EXPECT_EQ(queue.try_put_many(numbers(5)), 0U);
  EXPECT_EQ(queue.get_many(9), numbers(3));
}

TEST_F(BatchTest, batch_larger_than_the_queue_waits_for_its_consumer) {
  constexpr int count = 500;
  auto queue = make<int>({.capacity = 3});
  auto producer = std::async(std::launch::async, [mine = open_as(other_, queue)]() mutable {
    return mine.put_many(numbers(count));
  });
  std::vector<int> got;
  while (got.size() < count) {
    for (const int value : queue.get_many(2)) got.push_back(value);
  }
  EXPECT_EQ(producer.get(), static_cast<std::size_t>(count));
  EXPECT_EQ(got, numbers(count));
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(BatchTest, sleeping_consumer_gets_a_batch_that_the_queue_cannot_hold_as_a_whole) {
  constexpr int count = 100;
  auto queue = make<int>({.capacity = 2});
  auto consumer = std::async(std::launch::async, [mine = open_as(other_, queue)]() mutable {
    std::vector<int> got;
    while (got.size() < count) got.push_back(mine.get());
    return got;
  });
  wait_for_sleepers(queue, InterestKind::message);
  EXPECT_EQ(queue.put_many(numbers(count)), static_cast<std::size_t>(count));
  EXPECT_EQ(consumer.get(), numbers(count));
}

TEST_F(BatchTest, put_many_into_a_closed_queue_is_queue_closed) {
  auto queue = make<int>();
  queue.close();
  EXPECT_THROW(queue.put_many(numbers(3)), QueueClosed);
  EXPECT_THROW(queue.try_put_many(numbers(3)), QueueClosed);
  EXPECT_EQ(queue.put_many(std::vector<int>()), 0U) << "of none, none was refused";
}

TEST_F(BatchTest, close_in_the_middle_of_a_batch_leaves_the_count_of_what_went_in) {
  auto queue = make<int>({.capacity = 3});
  auto producer = std::async(
      std::launch::async, [mine = open_as(other_, queue)]() mutable { return mine.put_many(numbers(10)); });
  wait_for_sleepers(queue, InterestKind::room);
  queue.close();
  EXPECT_EQ(producer.get(), 3U);
  EXPECT_EQ(queue.get_many(10), numbers(3));
  EXPECT_THROW(queue.get_many(10), QueueClosed);
}

TEST_F(BatchTest, range_that_closes_the_queue_itself_is_counted_up_to_there) {
  auto queue = make<int>();
  const auto closing_at_two = std::views::iota(0, 5) | std::views::transform([&](int i) {
                                if (i == 2) queue.close();
                                return i;
                              });
  EXPECT_EQ(queue.put_many(closing_at_two), 2U);
  EXPECT_EQ(queue.get_many(5), numbers(2));
}

TEST_F(BatchTest, get_many_of_none_is_empty_and_does_not_wait) {
  auto queue = make<int>();
  EXPECT_TRUE(queue.get_many(0).empty());
  queue.put(1);
  EXPECT_TRUE(queue.get_many(0).empty());
  EXPECT_TRUE(queue.try_get_many(0).empty());
  EXPECT_EQ(queue.size_approx(), 1U);
}

TEST_F(BatchTest, get_many_takes_no_more_than_asked_for_and_no_more_than_there_is) {
  auto queue = make<int>();
  queue.put_many(numbers(5));
  EXPECT_EQ(queue.get_many(1), numbers(1));
  EXPECT_EQ(queue.get_many(2), (std::vector{1, 2}));
  EXPECT_EQ(queue.get_many(~std::size_t{0}), (std::vector{3, 4}));
  EXPECT_TRUE(queue.try_get_many(5).empty());
}

TEST_F(BatchTest, get_many_waits_for_the_first_message_only) {
  auto queue = make<int>();
  auto consumer = std::async(std::launch::async,
                             [mine = open_as(other_, queue)]() mutable { return mine.get_many(100); });
  wait_for_sleepers(queue, InterestKind::message);
  queue.put(1);
  EXPECT_EQ(consumer.get(), std::vector{1});
}

TEST_F(BatchTest, get_many_that_waits_is_told_of_a_close) {
  auto queue = make<int>();
  std::jthread consumer(
      [mine = open_as(other_, queue)]() mutable { EXPECT_THROW(mine.get_many(5), QueueClosed); });
  wait_for_sleepers(queue, InterestKind::message);
  queue.close();
}

TEST_F(BatchTest, get_many_drains_a_closed_queue_and_then_says_so) {
  auto queue = make<int>();
  queue.put_many(numbers(3));
  queue.close();
  EXPECT_EQ(queue.get_many(2), numbers(2));
  EXPECT_EQ(queue.try_get_many(2), std::vector{2});
  EXPECT_THROW(queue.try_get_many(2), QueueClosed);
}

TEST_F(BatchTest, put_many_wakes_as_many_sleepers_as_there_are_messages) {
  auto queue = make<int>();
  std::vector<std::future<int>> consumers;
  for (int i = 0; i < 4; ++i) {
    consumers.push_back(
        std::async(std::launch::async,
                   [mine = open_as(i % 2 ? member_ : other_, queue)]() mutable { return mine.get(); }));
  }
  wait_for_sleepers(queue, InterestKind::message, 4);
  EXPECT_EQ(queue.put_many(numbers(4)), 4U);
  std::set<int> got;
  for (auto& consumer : consumers) got.insert(consumer.get());
  EXPECT_EQ(got, (std::set{0, 1, 2, 3}));
}

TEST_F(BatchTest, get_many_wakes_as_many_producers_as_it_made_room_for) {
  auto queue = make<int>({.capacity = 4});
  queue.put_many(numbers(4));
  std::vector<std::jthread> producers;
  for (int i = 0; i < 4; ++i) {
    producers.emplace_back([mine = open_as(i % 2 ? member_ : other_, queue)]() mutable { mine.put(9); });
  }
  wait_for_sleepers(queue, InterestKind::room, 4);
  EXPECT_EQ(queue.get_many(4), numbers(4));
  producers.clear();
  EXPECT_EQ(queue.size_approx(), 4U);
}

TEST_F(BatchTest, message_of_an_unfinished_batch_reaches_a_sleeping_consumer) {
  auto input = make<int>();
  auto output = make<int>();
  std::jthread stage([in = open_as(other_, input), out = open_as(other_, output)]() mutable {
    out.put_many(in);  // a queue is a range that ends when it is closed
  });
  for (int i = 0; i < 3; ++i) {
    auto consumer = std::async(std::launch::async, [mine = output]() mutable { return mine.get(); });
    wait_for_sleepers(output, InterestKind::message);
    input.put(i);
    EXPECT_EQ(consumer.get(), i);
  }
  input.close();
}

TEST_F(BatchTest, large_messages_among_small_ones_keep_their_order) {
  auto queue = make<std::string>({.capacity = 64, .inline_size = 64});
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 50; ++i) {
    texts.emplace_back(i % 3 == 1 ? 1'000 * i : i, static_cast<char>('a' + i % 26));
  }
  EXPECT_EQ(queue.put_many(texts), texts.size());
  EXPECT_EQ(open_as(other_, queue).get_many(100), texts);
  EXPECT_EQ(bytes_outside(queue), 0U);
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(BatchTest, large_messages_of_a_batch_wait_for_memory) {
  constexpr std::size_t count = 20;
  auto queue = make<std::string>({.max_bytes = 8'192});
  const std::vector<std::string> texts(count, std::string(3'000, 'x'));
  auto producer = std::async(
      std::launch::async, [&texts, mine = open_as(other_, queue)]() mutable { return mine.put_many(texts); });
  std::size_t got = 0;
  while (got < count) got += queue.get_many(count).size();
  EXPECT_EQ(producer.get(), count);
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(BatchTest, message_that_can_never_fit_ends_its_batch_with_an_error_and_leaves_those_before) {
  auto queue = make<std::string>({.max_bytes = 4'096});
  EXPECT_THROW(queue.put_many(std::vector<std::string>{"a", "b", std::string(5'000, 'x'), "c"}), TooLarge);
  EXPECT_EQ(queue.get_many(9), (std::vector<std::string>{"a", "b"}));
}

TEST_F(BatchTest, encoder_that_throws_ends_its_batch_and_leaves_those_before) {
  auto queue = make<Touchy>();
  auto consumer =
      std::async(std::launch::async, [mine = open_as(other_, queue)]() mutable { return mine.get().value; });
  wait_for_sleepers(queue, InterestKind::message);
  EXPECT_THROW(queue.put_many(std::vector<Touchy>{{1}, {2}, {-1}, {3}}), std::runtime_error);
  EXPECT_EQ(consumer.get(), 1) << "who sleeps is told all the same";
  EXPECT_EQ(queue.get().value, 2);
  EXPECT_TRUE(queue.empty_approx());
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(BatchTest, ranges_of_values_made_on_the_way_are_put) {
  auto queue = make<std::string>();
  const auto texts = std::views::iota(0, 4) | std::views::transform([](int i) {
                       return std::string(300, static_cast<char>('0' + i));
                     });
  EXPECT_EQ(queue.put_many(texts), 4U);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(queue.get(), std::string(300, static_cast<char>('0' + i)));
}

TEST_F(BatchTest, ranges_that_can_only_be_read_once_are_put) {
  auto queue = make<int>();
  std::istringstream text("3 1 4 1 5");
  EXPECT_EQ(queue.put_many(std::ranges::istream_view<int>(text)), 5U);
  EXPECT_EQ(queue.get_many(9), (std::vector{3, 1, 4, 1, 5}));
}

TEST_F(BatchTest, ranges_that_do_not_know_their_size_are_put) {
  auto queue = make<int>();
  EXPECT_EQ(queue.put_many(numbers(100) | std::views::filter([](int i) { return i % 2 == 0; })), 50U);
  const std::list<int> list{7, 8};
  EXPECT_EQ(queue.put_many(list), 2U);
  EXPECT_EQ(queue.get_many(99).size(), 52U);
}

TEST_F(BatchTest, ranges_of_what_converts_are_put) {
  auto queue = make<double>();
  EXPECT_EQ(queue.put_many(std::vector{1, 2}), 2U);
  auto flags = make<bool>();
  EXPECT_EQ(flags.put_many(std::vector{true, false, true}), 3U);
  EXPECT_EQ(queue.get_many(5), (std::vector{1.0, 2.0}));
  EXPECT_EQ(flags.get_many(5), (std::vector{true, false, true}));
}

TEST_F(BatchTest, byte_strings_go_in_batches_too) {
  Channel channel = make_channel();
  const std::vector<std::vector<std::byte>> messages{bytes_of("a"), {}, bytes_of(std::string(5'000, 'l'))};
  EXPECT_EQ(channel.put_many(messages), 3U);
  EXPECT_EQ(channel.try_put_many(messages), 3U);
  EXPECT_EQ(channel.get_many(3), messages);
  EXPECT_EQ(channel.try_get_many(9), messages);
  EXPECT_TRUE(channel.try_get_many(9).empty());
  channel.close();
  EXPECT_THROW(channel.put_many(messages), QueueClosed);
}

TEST_F(BatchTest, queue_handles_go_in_batches) {
  auto carrier = make<Queue<int>>();
  {
    std::vector<Queue<int>> queues;
    for (int i = 0; i < 40; ++i) {
      queues.push_back(make<int>({.capacity = 1}));
      queues.back().put(i);
    }
    EXPECT_EQ(carrier.put_many(queues), 40U);
  }
  auto got = carrier.get_many(40);
  ASSERT_EQ(got.size(), 40U);
  for (int i = 0; i < 40; ++i) EXPECT_EQ(got[static_cast<std::size_t>(i)].get(), i);
}

TEST_F(BatchTest, get_many_begins_with_what_was_given_back) {
  auto queue = make<int>();
  queue.put_many(numbers(4));
  {
    const auto first = queue.lease();
    const auto second = queue.lease();
  }
  const auto got = queue.get_many(9);
  ASSERT_EQ(got.size(), 4U);
  EXPECT_EQ((std::set{got[0], got[1]}), (std::set{0, 1}));
  EXPECT_EQ(got[2], 2);
  EXPECT_EQ(got[3], 3);
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(BatchTest, every_message_of_many_batches_is_got_once) {
  constexpr int count = 20'000;
  constexpr int batch = 50;
  auto queue = make<int>({.capacity = 64});
  std::vector<std::future<std::vector<int>>> consumers;
  for (int i = 0; i < 2; ++i) {
    consumers.push_back(
        std::async(std::launch::async, [mine = open_as(i % 2 ? member_ : other_, queue)]() mutable {
          std::vector<int> got;
          try {
            while (true) {
              for (const int value : mine.get_many(20)) got.push_back(value);
            }
          } catch (const QueueClosed&) {
            return got;
          }
        }));
  }
  {
    std::vector<std::jthread> producers;
    for (int i = 0; i < 2; ++i) {
      producers.emplace_back([mine = open_as(i % 2 ? member_ : other_, queue), i]() mutable {
        for (int first = i * count; first < (i + 1) * count; first += batch) {
          mine.put_many(std::views::iota(first, first + batch));
        }
      });
    }
  }
  queue.close();
  std::vector<int> all;
  for (auto& consumer : consumers) {
    const auto got = consumer.get();
    // What one producer put comes in its order to whoever gets it.
    for (const bool second : {false, true}) {
      auto of_one = got | std::views::filter([&](int value) { return (value >= count) == second; });
      EXPECT_TRUE(std::ranges::is_sorted(of_one));
    }
    all.insert(all.end(), got.begin(), got.end());
  }
  std::ranges::sort(all);
  EXPECT_EQ(all, numbers(2 * count));
  EXPECT_EQ(audit_of(queue), "");
}

}  // namespace
}  // namespace wyvern::test
