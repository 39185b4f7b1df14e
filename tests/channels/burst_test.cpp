#include <algorithm>
#include <cstddef>
#include <future>
#include <iterator>
#include <optional>
#include <ranges>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "support/two_members.hpp"

namespace wyvern::test {
namespace {

/// Batches whose looked-up places are used by somebody else meanwhile.
class BurstTest : public TwoMembers {};

TEST_F(BurstTest, another_producer_in_the_middle_of_a_batch_puts_between_its_messages) {
  auto queue = make<int>();
  const Queue<int> others(other_, queue.channel().reference());
  const auto values = numbers(64) | std::views::transform([&](int i) {
                        if (i == 10 || i == 40) others.put(1000 + i);
                        return i;
                      });
  EXPECT_EQ(queue.put_many(values), 64U);
  auto expected = numbers(64);
  expected.insert(expected.begin() + 40, 1040);
  expected.insert(expected.begin() + 10, 1010);
  EXPECT_EQ(queue.get_many(99), expected);
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(BurstTest, another_consumer_in_the_middle_of_a_batch_gets_what_is_next) {
  auto queue = make<int>();
  const Queue<int> others(other_, queue.channel().reference());
  queue.put_many(numbers(64));
  const WaitLimit limit = WaitLimit::never();
  std::vector<int> got;
  std::vector<int> others_got;
  {
    TakeBatch batch(queue.channel().local(), 64, limit);
    TakeBatch::Run run(batch);
    for (auto bytes = run.next(); bytes.data() != nullptr; bytes = run.next()) {
      got.push_back(decode_from<int>(bytes));
      if (got.size() == 10) others_got.push_back(others.get());
      if (got.size() == 20) std::ranges::copy(others.get_many(3), std::back_inserter(others_got));
    }
  }
  auto expected = numbers(64);
  expected.erase(expected.begin() + 21, expected.begin() + 24);
  expected.erase(expected.begin() + 10);
  EXPECT_EQ(got, expected);
  EXPECT_EQ(others_got, (std::vector{10, 21, 22, 23}));
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(BurstTest, message_given_back_in_the_middle_of_a_batch_is_next) {
  auto queue = make<int>();
  queue.put_many(numbers(64));
  auto lease = std::make_optional(queue.lease());
  const WaitLimit limit = WaitLimit::never();
  std::vector<int> got;
  {
    TakeBatch batch(queue.channel().local(), 64, limit);
    TakeBatch::Run run(batch);
    for (auto bytes = run.next(); bytes.data() != nullptr; bytes = run.next()) {
      got.push_back(decode_from<int>(bytes));
      if (got.size() == 10) lease.reset();
    }
  }
  auto expected = numbers(64);
  std::rotate(expected.begin(), expected.begin() + 1, expected.begin() + 11);
  EXPECT_EQ(got, expected);
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(BurstTest, hints_that_were_thrown_back_promise_no_more_than_the_capacity) {
  auto queue = make<int>({.capacity = 8});
  for (int i = 0; i < 1000; ++i) {
    queue.put(i);
    queue.get();
  }
  queue.put_many(numbers(5));
  ChannelHeader& header = view_of(queue).header();
  header.head.store(0);  // as by somebody who was stopped all the time
  EXPECT_EQ(ring::ready_approx(view_of(queue), IntentKind::get), 8U);
  EXPECT_EQ(queue.get_many(1'000'000'000), numbers(5));
  header.tail.store(0);
  EXPECT_LE(ring::ready_approx(view_of(queue), IntentKind::put), 8U);
  EXPECT_EQ(queue.try_put_many(numbers(100)), 8U);
  EXPECT_EQ(queue.get_many(100), numbers(8));
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(BurstTest, message_that_is_no_value_in_the_middle_of_a_batch_leaves_nothing_behind) {
  const std::string large(5'000, 'x');
  for (const bool garbage_is_large : {false, true}) {
    auto queue = make<std::string>({.capacity = 8});
    queue.put_many(std::vector<std::string>{"a", large, "b"});
    Channel(queue.channel()).put(std::vector<std::byte>(garbage_is_large ? 5'000 : 20, std::byte{0xff}));
    queue.put_many(std::vector<std::string>{"c", large, "d", "e"});
    auto producer = std::async(std::launch::async, [mine = open_as(other_, queue)] {
      return mine.put_many(std::vector<std::string>(4, "f"));
    });
    EXPECT_THROW(queue.get_many(100), DecodeError);
    EXPECT_EQ(producer.get(), 4U) << "there was room for them";
    EXPECT_EQ(queue.get_many(100), (std::vector<std::string>{"c", large, "d", "e", "f", "f", "f", "f"}));
    EXPECT_EQ(bytes_outside(queue), 0U);
    for (int i = 0; i < 12; ++i) queue.task_done();
    EXPECT_EQ(queue.join(), 0U);
    EXPECT_EQ(audit_of(queue), "");
  }
}

}  // namespace
}  // namespace wyvern::test
