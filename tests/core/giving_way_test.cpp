#include <cstdint>

#include <gtest/gtest.h>

#include <wyvern/core/giving_way.hpp>

namespace wyvern {
namespace {

constexpr std::uint64_t rare = GivingWay::rare_ns;
constexpr std::uint64_t short_time = GivingWay::too_long_ns;
constexpr std::uint64_t long_time = GivingWay::too_long_ns + 1;

class GivingWayTest : public ::testing::Test {
 protected:
  /// After a wake that is rare.
  bool is_time_to() { return giving_way_.is_time_to(now_ += rare); }
  /// How many wakes leave it out.
  std::uint32_t left_out() {
    std::uint32_t count = 0;
    while (!is_time_to()) ++count;
    return count;
  }

  std::uint64_t now_ = 1'000'000'000;
  GivingWay giving_way_;
};

TEST_F(GivingWayTest, is_done_after_a_wake_that_is_rare) {
  EXPECT_TRUE(is_time_to());
  giving_way_.learn(short_time);
  EXPECT_TRUE(is_time_to());
}

TEST_F(GivingWayTest, is_not_done_by_who_wakes_all_the_time) {
  EXPECT_TRUE(is_time_to());
  EXPECT_FALSE(giving_way_.is_time_to(now_ += rare - 1));
  EXPECT_FALSE(giving_way_.is_time_to(now_ += rare - 1));
  EXPECT_TRUE(is_time_to());
}

TEST_F(GivingWayTest, that_takes_long_is_left_out_more_and_more) {
  EXPECT_TRUE(is_time_to());
  giving_way_.learn(long_time);
  for (const std::uint32_t expected : {1U, 3U, 7U, 15U}) {
    EXPECT_EQ(left_out(), expected);
    giving_way_.learn(long_time);
  }
}

TEST_F(GivingWayTest, is_tried_again_after_so_many_wakes_at_the_latest) {
  for (int i = 0; i < 40; ++i) {
    left_out();
    giving_way_.learn(long_time);
  }
  EXPECT_EQ(left_out(), GivingWay::most_skipped);
}

TEST_F(GivingWayTest, that_is_short_again_is_done_each_time) {
  giving_way_.learn(long_time);
  giving_way_.learn(long_time);
  EXPECT_EQ(left_out(), 3U);
  giving_way_.learn(short_time);
  EXPECT_EQ(left_out(), 0U);
  giving_way_.learn(long_time);
  EXPECT_EQ(left_out(), 1U) << "from the beginning";
}

TEST_F(GivingWayTest, wakes_that_are_not_rare_are_not_counted_as_left_out) {
  giving_way_.learn(long_time);
  EXPECT_TRUE(!is_time_to());
  giving_way_.learn(long_time);  // 3 to come
  now_ += rare;
  EXPECT_FALSE(giving_way_.is_time_to(now_));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(giving_way_.is_time_to(++now_));
  EXPECT_EQ(left_out(), 2U);
}

TEST(GivingWay, is_a_threads_own) { EXPECT_EQ(&GivingWay::mine(), &GivingWay::mine()); }

}  // namespace
}  // namespace wyvern
