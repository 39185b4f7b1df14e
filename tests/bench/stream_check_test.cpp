#include "bench/common/stream_check.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

namespace wyvern::bench {
namespace {

TEST(StreamCheckTest, messages_in_order_are_counted_per_producer) {
  StreamCheck check(2);
  Tally expected{};
  for (std::uint64_t i = 0; i < 10; ++i) {
    check.add(make_stamp(1, i));
    expected.add(i);
  }
  EXPECT_EQ(check.tallies()[1], expected);
  EXPECT_EQ(check.tallies()[0], Tally{});
}

TEST(StreamCheckTest, gaps_are_another_consumers) {
  StreamCheck check(1);
  check.add(make_stamp(0, 3));
  EXPECT_NO_THROW(check.add(make_stamp(0, 7)));
}

TEST(StreamCheckTest, a_message_twice_is_an_error) {
  StreamCheck check(1);
  check.add(make_stamp(0, 3));
  EXPECT_THROW(check.add(make_stamp(0, 3)), std::runtime_error);
}

TEST(StreamCheckTest, an_older_message_after_a_later_one_is_an_error) {
  StreamCheck check(1);
  check.add(make_stamp(0, 3));
  EXPECT_THROW(check.add(make_stamp(0, 2)), std::runtime_error);
}

TEST(StreamCheckTest, a_message_of_nobody_is_an_error) {
  StreamCheck check(2);
  EXPECT_THROW(check.add(make_stamp(2, 0)), std::runtime_error);
}

TEST(TallyTest, one_for_another_is_noticed) {
  Tally sent{};
  Tally received{};
  for (const std::uint64_t sequence : {0U, 1U, 2U, 3U}) sent.add(sequence);
  for (const std::uint64_t sequence : {0U, 0U, 3U, 3U}) received.add(sequence);  // the same count and sum
  EXPECT_EQ(sent.sum, received.sum);
  EXPECT_NE(sent, received);
}

TEST(TallyTest, parts_add_up) {
  Tally all{};
  Tally even{};
  Tally odd{};
  for (std::uint64_t i = 0; i < 9; ++i) {
    all.add(i);
    (i % 2 == 0 ? even : odd).add(i);
  }
  even.add(odd);
  EXPECT_EQ(even, all);
}

}  // namespace
}  // namespace wyvern::bench
