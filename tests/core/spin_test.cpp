#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/futex.hpp>
#include <wyvern/core/spin.hpp>

#include "core_node.hpp"

namespace wyvern::test {
namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;

class SpinPermits : public ::testing::Test {
 protected:
  std::uint32_t held() const {
    std::uint32_t count = 0;
    for (const SpinPermit& permit : node_.segment().header().permits) count += permit.holder.load() != 0;
    return count;
  }

  CoreNode node_{std::uint64_t{64} << 20, 2};
  std::shared_ptr<Member> member_ = node_.join();
};

TEST_F(SpinPermits, there_are_as_many_as_cores) {
  const SpinPermitHold first(*member_, 100 * second_ns);
  EXPECT_TRUE(first);
  {
    const SpinPermitHold second(*member_, 100 * second_ns);
    EXPECT_TRUE(second);
    EXPECT_FALSE(SpinPermitHold(*member_, 100 * second_ns));
  }
  EXPECT_TRUE(SpinPermitHold(*member_, 100 * second_ns)) << "a permit that ended is given out again";
}

TEST_F(SpinPermits, more_cores_than_permits_share_what_there_is) {
  CoreNode many(std::uint64_t{64} << 20, 1000);
  const auto member = many.join();
  std::vector<std::unique_ptr<SpinPermitHold>> holds;
  for (std::uint32_t i = 0; i < max_spin_permits; ++i) {
    holds.push_back(std::make_unique<SpinPermitHold>(*member, 100 * second_ns));
    EXPECT_TRUE(*holds.back());
  }
  EXPECT_FALSE(SpinPermitHold(*member, 100 * second_ns));
}

TEST_F(SpinPermits, permit_of_a_stopped_spinner_expires) {
  const auto other = node_.join();
  const SpinPermitHold first(*member_, 1'000);
  const SpinPermitHold second(*member_, 1'000);
  const std::uint64_t start = monotonic_ns();
  while (monotonic_ns() < start + 10'000) spin_pause();

  const SpinPermitHold taken_over(*other, 100 * second_ns);
  EXPECT_TRUE(taken_over);
}

TEST_F(SpinPermits, expired_permit_is_not_taken_from_its_new_holder) {
  const auto other = node_.join();
  std::unique_ptr<SpinPermitHold> still_held;
  {
    const SpinPermitHold first(*member_, 1'000);
    const SpinPermitHold second(*member_, 100 * second_ns);
    const std::uint64_t start = monotonic_ns();
    while (monotonic_ns() < start + 10'000) spin_pause();
    still_held = std::make_unique<SpinPermitHold>(*other, 100 * second_ns);
  }
  EXPECT_EQ(held(), 1U);
}

TEST_F(SpinPermits, dead_process_loses_its_permits_and_nobody_else_does) {
  const auto dead = node_.join();
  const SpinPermitHold mine(*member_, 100 * second_ns);
  const SpinPermitHold of_the_dead(*dead, 100 * second_ns);

  release_spin_permits(node_.segment(), dead->process_index());

  EXPECT_EQ(held(), 1U);
  EXPECT_TRUE(SpinPermitHold(*member_, 100 * second_ns));
}

TEST_F(SpinPermits, spinning_ends_with_the_condition_the_deadline_or_the_budget) {
  SpinHabit habit;
  EXPECT_TRUE(spin_until(
      *member_, [] { return true; }, Deadline::never(), habit));
  EXPECT_FALSE(spin_until(
      *member_, [] { return false; }, Deadline::now(), habit));
  EXPECT_FALSE(spin_until(
      *member_, [] { return false; }, Deadline::never(), habit));
  int looks = 0;
  EXPECT_TRUE(spin_until(
      *member_, [&] { return ++looks == 1; }, Deadline::now(), habit))
      << "a last look is always taken";
  EXPECT_EQ(looks, 1);
  EXPECT_EQ(held(), 0U);
}

TEST_F(SpinPermits, spinning_for_what_a_descriptor_tells_is_worth_two_such_wake_ups) {
  auto& wake_cost_ns = node_.segment().header().wake_cost_ns;
  for (const std::uint32_t cost : {0U, 3'000U, 25'000U, 10'000'000U}) {
    wake_cost_ns = cost;
    const std::uint64_t of_a_futex = worthwhile_spin_ns(*member_, WokenBy::futex);
    const std::uint64_t of_a_descriptor = worthwhile_spin_ns(*member_, WokenBy::descriptor);
    EXPECT_GE(of_a_descriptor, 2 * of_a_futex) << cost;
    EXPECT_LE(of_a_descriptor, 2 * longest_permit_spin_ns) << cost;
  }
}

std::uint32_t looks_until_it_is_time(YieldPace& pace) {
  std::uint32_t looks = 1;
  while (!pace.is_time_to()) ++looks;
  return looks;
}

TEST(YieldPace, core_that_nobody_takes_is_given_away_less_often_and_as_often_as_before_when_one_does) {
  YieldPace pace;
  EXPECT_EQ(looks_until_it_is_time(pace), YieldPace::shortest);
  EXPECT_EQ(looks_until_it_is_time(pace), YieldPace::shortest) << "nothing was learnt";
  pace.learn(YieldPace::taken_ns - 1);
  EXPECT_EQ(looks_until_it_is_time(pace), 2 * YieldPace::shortest);
  for (int i = 0; i < 100; ++i) pace.learn(0);
  EXPECT_EQ(looks_until_it_is_time(pace), YieldPace::longest);
  pace.learn(YieldPace::taken_ns);
  EXPECT_EQ(looks_until_it_is_time(pace), YieldPace::shortest);
}

constexpr std::uint64_t worth_ns = 30'000;

void wait_for_ns(SpinHabit& habit, std::uint64_t duration_ns) {
  habit.begin(second_ns, worth_ns);
  habit.end(second_ns + duration_ns);
}

TEST(SpinHabit, ends_with_four_long_waits_in_a_row_and_comes_back_with_one_short_one) {
  SpinHabit habit;
  for (int i = 0; i < 3; ++i) wait_for_ns(habit, second_ns);
  EXPECT_TRUE(habit.pays());
  wait_for_ns(habit, 2 * worth_ns);
  for (int i = 0; i < 3; ++i) wait_for_ns(habit, second_ns);
  EXPECT_TRUE(habit.pays()) << "counted anew since the short one";
  for (int i = 0; i < 100; ++i) wait_for_ns(habit, 2 * worth_ns + 1);
  EXPECT_FALSE(habit.pays());
  wait_for_ns(habit, 2 * worth_ns);
  EXPECT_TRUE(habit.pays());
}

TEST_F(SpinPermits, thread_that_spun_in_vain_takes_no_permit_until_it_pays_again) {
  SpinHabit habit;
  bool permit_was_held = false;
  // Cheap: the budget for spinning is some microseconds.
  const auto& first_permit = node_.segment().header().permits[0].holder;
  const auto never = [&] {
    permit_was_held |= first_permit.load() != 0;
    return false;
  };
  while (habit.pays()) wait_for_ns(habit, second_ns);
  EXPECT_FALSE(spin_until(*member_, never, Deadline::never(), habit));
  EXPECT_FALSE(permit_was_held);
  // A thread that is not let run meanwhile has used up its time.
  while (!permit_was_held) {
    wait_for_ns(habit, 1);
    EXPECT_FALSE(spin_until(*member_, never, Deadline::never(), habit));
  }
}

}  // namespace
}  // namespace wyvern::test
