#include "bench/common/statistics.hpp"

#include <gtest/gtest.h>

namespace wyvern::bench {
namespace {

TEST(SpreadTest, of_nothing_is_zero) {
  EXPECT_EQ(spread({}).median, 0);
  EXPECT_EQ(spread({}).max, 0);
}

TEST(SpreadTest, of_one_is_that_one) {
  const Spread one = spread({3});
  EXPECT_EQ(one.median, 3);
  EXPECT_EQ(one.min, 3);
  EXPECT_EQ(one.max, 3);
}

TEST(SpreadTest, of_an_odd_number_is_the_middle_one) {
  const Spread three = spread({9, 1, 2});
  EXPECT_EQ(three.median, 2);
  EXPECT_EQ(three.min, 1);
  EXPECT_EQ(three.max, 9);
}

TEST(SpreadTest, of_an_even_number_lies_between_the_middle_two) {
  EXPECT_EQ(spread({4, 1, 3, 100}).median, 3.5);
}

}  // namespace
}  // namespace wyvern::bench
