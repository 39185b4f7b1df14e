#include <chrono>
#include <stop_token>

#include <gtest/gtest.h>

#include <wyvern/core/wait_limit.hpp>

namespace wyvern::test {
namespace {

using namespace std::chrono_literals;

TEST(WaitLimit, never_is_not_over_and_nobody_can_ask_to_stop) {
  const WaitLimit limit = WaitLimit::never();
  EXPECT_FALSE(limit.passed());
  EXPECT_FALSE(limit.is_now());
  EXPECT_FALSE(limit.stop_requested());
  EXPECT_EQ(limit.stop(), nullptr);
  EXPECT_TRUE(limit.deadline().is_never());
}

TEST(WaitLimit, now_is_over) {
  EXPECT_TRUE(WaitLimit::now().passed());
  EXPECT_TRUE(WaitLimit::now().is_now());
}

TEST(WaitLimit, deadline_is_over_when_its_time_has_come) {
  EXPECT_TRUE(WaitLimit(Deadline::at(Deadline::Clock::now() - 1ns)).passed());
  EXPECT_FALSE(WaitLimit(Deadline::at(Deadline::Clock::now() - 1ns)).is_now()) << "it was not known before";
  EXPECT_FALSE(WaitLimit(Deadline::after(1h)).passed());
}

TEST(WaitLimit, token_is_over_when_a_stop_was_requested) {
  std::stop_source source;
  const std::stop_token token = source.get_token();
  const WaitLimit limit(token);
  EXPECT_EQ(limit.stop(), &token);
  EXPECT_TRUE(limit.deadline().is_never());
  EXPECT_FALSE(limit.passed());
  EXPECT_FALSE(limit.stop_requested());
  source.request_stop();
  EXPECT_TRUE(limit.stop_requested());
  EXPECT_TRUE(limit.passed());
  EXPECT_FALSE(limit.is_now());
}

TEST(WaitLimit, token_without_a_source_is_never_over) {
  const std::stop_token token;
  EXPECT_FALSE(WaitLimit(token).passed());
}

}  // namespace
}  // namespace wyvern::test
