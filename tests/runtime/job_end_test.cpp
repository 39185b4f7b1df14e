#include <chrono>

#include <gtest/gtest.h>

#include <wyvern/runtime/agent/job_end.hpp>

namespace wyvern::agent {
namespace {

using Step = JobEnd::Step;

class JobEndTest : public testing::Test {
 protected:
  Step next(std::size_t awaited, bool left) { return end_.next(now_, awaited, left); }
  void pass(std::chrono::milliseconds time) { now_ += time; }

  JobEnd end_;
  JobEnd::Clock::time_point now_{std::chrono::hours(1)};
};

constexpr std::chrono::milliseconds moment{1};

TEST_F(JobEndTest, nothing_happens_while_the_job_runs) {
  EXPECT_FALSE(end_.is_near());
  EXPECT_EQ(next(3, true), Step::none);
  EXPECT_FALSE(end_.deadline());
  EXPECT_FALSE(end_.refuses_starts());
}

TEST_F(JobEndTest, head_that_returns_waits_for_what_is_awaited_then_the_rest_is_asked_then_killed) {
  end_.head_returned();
  EXPECT_TRUE(end_.spares_head());
  EXPECT_EQ(next(2, true), Step::none);
  EXPECT_FALSE(end_.refuses_starts());
  EXPECT_EQ(next(0, true), Step::ask_to_end);
  EXPECT_TRUE(end_.refuses_starts());
  EXPECT_EQ(next(0, true), Step::none) << "asked once";
  pass(JobEnd::grace);
  EXPECT_EQ(next(0, true), Step::kill);
  EXPECT_TRUE(end_.head_waits()) << "the head is not killed with the others";
  EXPECT_EQ(next(0, true), Step::kill) << "new orphans may have come";
  EXPECT_EQ(next(0, false), Step::finish);
}

TEST_F(JobEndTest, head_that_returns_last_ends_the_job_at_once) {
  end_.head_returned();
  EXPECT_EQ(next(0, false), Step::finish);
}

TEST_F(JobEndTest, released_head_goes_on_until_it_ends) {
  end_.head_returned();
  ASSERT_EQ(next(0, false), Step::finish);
  end_.head_released();
  EXPECT_FALSE(end_.is_near());
  EXPECT_EQ(next(0, true), Step::none);
  end_.head_gone(false, now_);
  EXPECT_EQ(next(0, false), Step::finish);
}

TEST_F(JobEndTest, killed_head_kills_the_job) {
  end_.head_gone(true, now_);
  EXPECT_EQ(next(5, true), Step::kill);
  EXPECT_FALSE(end_.hurried()) << "the last output is still wanted";
  EXPECT_EQ(next(0, false), Step::finish);
}

TEST_F(JobEndTest, head_that_dies_while_it_waits_kills_the_job) {
  end_.head_returned();
  ASSERT_EQ(next(1, true), Step::none);
  end_.head_gone(true, now_);
  EXPECT_FALSE(end_.spares_head());
  EXPECT_EQ(next(1, true), Step::kill);
}

TEST_F(JobEndTest, head_that_exits_early_is_spared_and_the_others_have_their_grace) {
  end_.head_ends_early(now_);
  EXPECT_TRUE(end_.spares_head());
  EXPECT_EQ(next(1, true), Step::ask_to_end);
  end_.head_gone(true, now_);
  EXPECT_EQ(next(1, true), Step::none) << "its death was announced";
  pass(JobEnd::grace);
  EXPECT_EQ(next(1, true), Step::kill);
}

TEST_F(JobEndTest, head_that_lets_go_without_a_word_ends_the_job_and_kills_it_if_it_dies) {
  end_.head_disconnected(now_);
  EXPECT_EQ(next(1, true), Step::ask_to_end);
  end_.head_gone(true, now_);
  EXPECT_EQ(next(1, true), Step::kill);
}

TEST_F(JobEndTest, lost_owner_kills_the_job_in_a_hurry) {
  end_.owner_lost(now_);
  EXPECT_TRUE(end_.hurried());
  EXPECT_EQ(next(1, true), Step::kill);
}

TEST_F(JobEndTest, first_signal_gives_grace_and_the_second_kills) {
  end_.signalled(now_);
  EXPECT_EQ(next(1, true), Step::none);
  pass(moment);
  end_.signalled(now_);
  EXPECT_EQ(next(1, true), Step::kill);
}

TEST_F(JobEndTest, signal_that_is_not_heeded_kills_a_waiting_head_too) {
  end_.head_returned();
  end_.signalled(now_);
  pass(JobEnd::signal_grace - moment);
  EXPECT_EQ(next(1, true), Step::none);
  pass(moment);
  EXPECT_EQ(next(1, true), Step::kill);
  EXPECT_FALSE(end_.spares_head());
}

TEST_F(JobEndTest, head_that_dies_of_the_users_signal_leaves_the_others_their_grace) {
  end_.signalled(now_);
  end_.head_gone(true, now_);
  EXPECT_EQ(next(1, true), Step::ask_to_end);
  pass(JobEnd::grace);
  EXPECT_EQ(next(1, true), Step::kill);
}

TEST_F(JobEndTest, agent_that_is_asked_to_end_asks_the_head_too) {
  end_.head_returned();
  end_.asked_to_end(now_);
  EXPECT_FALSE(end_.spares_head());
  EXPECT_EQ(next(1, true), Step::ask_to_end);
}

TEST_F(JobEndTest, agent_that_is_asked_to_kill_does_not_ask_but_is_in_no_hurry_with_the_output) {
  end_.asked_to_kill(now_);
  EXPECT_TRUE(end_.kills());
  EXPECT_FALSE(end_.hurried());
  EXPECT_EQ(next(1, true), Step::kill);
  EXPECT_EQ(next(0, false), Step::finish);
}

TEST_F(JobEndTest, what_cannot_be_killed_is_given_up) {
  end_.owner_lost(now_);
  ASSERT_EQ(next(0, true), Step::kill);
  pass(JobEnd::kill_patience);
  EXPECT_EQ(next(0, true), Step::finish);
  EXPECT_EQ(next(0, true), Step::finish) << "while the last output is written";
}

}  // namespace
}  // namespace wyvern::agent
