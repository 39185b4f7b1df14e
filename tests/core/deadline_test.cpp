#include <chrono>
#include <limits>

#include <gtest/gtest.h>

#include <wyvern/core/deadline.hpp>

namespace wyvern::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using std::chrono::system_clock;

TEST(DeadlineTest, never_does_not_pass) {
  EXPECT_TRUE(Deadline::never().is_never());
  EXPECT_FALSE(Deadline::never().passed());
}

TEST(DeadlineTest, now_has_passed) {
  EXPECT_TRUE(Deadline::now().is_now());
  EXPECT_TRUE(Deadline::now().passed());
}

TEST(DeadlineTest, zero_and_negative_durations_mean_now) {
  EXPECT_TRUE(Deadline::after(0s).is_now());
  EXPECT_TRUE(Deadline::after(-5ms).is_now());
  EXPECT_TRUE(Deadline::after(std::chrono::hours::min()).is_now());
}

TEST(DeadlineTest, durations_beyond_the_clock_mean_never) {
  EXPECT_TRUE(Deadline::after(std::chrono::hours::max()).is_never());
  EXPECT_TRUE(Deadline::after(std::chrono::nanoseconds::max()).is_never());
  EXPECT_TRUE(
      Deadline::after(std::chrono::duration<double>(std::numeric_limits<double>::infinity())).is_never());
}

TEST(DeadlineTest, is_never_before_the_duration_has_ended) {
  const auto before = steady_clock::now();
  const Deadline deadline = Deadline::after(std::chrono::duration<double, std::pico>(1500.0));
  EXPECT_GE(deadline.time() - before, 2ns) << "fractions of the clock's tick are rounded up";
}

TEST(DeadlineTest, steady_time_points_are_kept) {
  const auto time = steady_clock::now() + 1h;
  EXPECT_EQ(Deadline::until(time).time(), time);
  EXPECT_TRUE(Deadline::until(steady_clock::now() - 1ns).passed());
}

TEST(DeadlineTest, wall_clock_time_points_are_translated) {
  EXPECT_TRUE(Deadline::until(system_clock::now() - 1s).passed());
  const Deadline deadline = Deadline::until(system_clock::now() + 1h);
  EXPECT_FALSE(deadline.passed());
  EXPECT_LE(deadline.time(), steady_clock::now() + 1h + 1s);
}

TEST(DeadlineTest, extreme_wall_clock_time_points_are_now_and_never) {
  EXPECT_TRUE(Deadline::until(system_clock::time_point::min()).passed());
  EXPECT_FALSE(Deadline::until(system_clock::time_point::max()).passed());
}

TEST(DeadlineTest, extreme_steady_time_points_are_now_and_never) {
  using Hours = std::chrono::time_point<steady_clock, std::chrono::hours>;
  EXPECT_TRUE(Deadline::until(steady_clock::time_point::min()).is_now());
  EXPECT_TRUE(Deadline::until(steady_clock::time_point::max()).is_never());
  EXPECT_TRUE(Deadline::until(Hours::max()).is_never());
  EXPECT_TRUE(Deadline::until(Hours::min()).is_now());
}

TEST(DeadlineTest, earliest_takes_the_first) {
  const Deadline soon = Deadline::after(1s);
  EXPECT_EQ(earliest(soon, Deadline::never()).time(), soon.time());
  EXPECT_TRUE(earliest(Deadline::now(), soon).is_now());
}

}  // namespace
}  // namespace wyvern::test
