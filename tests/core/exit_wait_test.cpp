#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/exit_wait.hpp>
#include <wyvern/core/parker.hpp>

#include "core_node.hpp"

namespace wyvern::test {
namespace {

using namespace std::chrono_literals;

class ExitWait : public ::testing::Test {
 protected:
  /// What the agent does when a process starts and ends.
  void start(std::uint32_t sequence) {
    SegmentHeader& header = node_.segment().header();
    node_.arena().commit_table(header.exit_records_offset, sizeof(std::uint64_t), header.exit_records_ready,
                               sequence + 1, max_exit_records);
    node_.segment().exit_record(sequence) = make_exit_record(ExitPhase::running, 0);
  }
  void end(std::uint32_t sequence, std::int32_t status) {
    node_.segment().exit_record(sequence) = make_exit_record(ExitPhase::exited, status);
    wake_who_waits_for_exit(node_.segment(), sequence);
  }
  std::uint32_t asleep() const {
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < max_parkers; ++i)
      count += node_.segment().parker(i).state.load() == parker_asleep;
    return count;
  }

  CoreNode node_;
  std::shared_ptr<Member> member_ = node_.join();
};

TEST_F(ExitWait, status_comes_back_whatever_it_is) {
  std::uint32_t sequence = 0;
  for (const std::int32_t status : {0, 1, 42, 255, -9, -15, std::numeric_limits<std::int32_t>::min()}) {
    start(sequence);
    end(sequence, status);
    EXPECT_EQ(wait_for_exit(member_, sequence, Deadline::now()), status);
    EXPECT_EQ(wait_for_exit(member_, sequence, Deadline::never()), status) << "any number of times";
    ++sequence;
  }
}

TEST_F(ExitWait, running_process_is_waited_for_no_longer_than_the_deadline) {
  start(0);
  EXPECT_EQ(wait_for_exit(member_, 0, Deadline::now()), std::nullopt);
  EXPECT_EQ(wait_for_exit(member_, 0, Deadline::after(5ms)), std::nullopt);
}

TEST_F(ExitWait, process_that_was_never_started_is_an_invalid_argument) {
  EXPECT_THROW(wait_for_exit(member_, 0, Deadline::never()), InvalidArgument);
  start(0);
  EXPECT_THROW(wait_for_exit(member_, 1, Deadline::never()), InvalidArgument)
      << "its record is committed, no more";
  EXPECT_THROW(wait_for_exit(member_, max_exit_records, Deadline::never()), InvalidArgument);
  EXPECT_THROW(wait_for_exit(member_, ~std::uint32_t{0}, Deadline::never()), InvalidArgument);
}

TEST_F(ExitWait, all_who_wait_for_it_are_woken_and_no_others) {
  start(0);
  start(1);
  std::vector<std::jthread> waiters;
  for (int i = 0; i < 3; ++i) {
    waiters.emplace_back([&] { EXPECT_EQ(wait_for_exit(member_, 0, Deadline::never()), 3); });
  }
  std::jthread other([&] { EXPECT_EQ(wait_for_exit(member_, 1, Deadline::never()), 4); });
  while (asleep() != 4) std::this_thread::yield();

  end(0, 3);
  waiters.clear();
  EXPECT_EQ(asleep(), 1U);
  end(1, 4);
}

TEST_F(ExitWait, one_of_several_wakes_who_waits_for_any_of_them) {
  for (const std::uint32_t sequence : {0U, 1U, 2U, 3U}) start(sequence);
  const std::vector<std::uint32_t> waited{1, 2, 3};
  EXPECT_EQ(wait_for_any_exit(member_, waited, Deadline::now()), std::nullopt);
  EXPECT_EQ(wait_for_any_exit(member_, waited, Deadline::after(5ms)), std::nullopt);
  {
    const std::jthread waiter([&] { EXPECT_EQ(wait_for_any_exit(member_, waited, Deadline::never()), 1U); });
    while (asleep() < 1) std::this_thread::yield();
    end(0, 0);  // is not waited for
    while (asleep() < 1) std::this_thread::yield();
    end(2, 7);
  }
  EXPECT_EQ(wait_for_any_exit(member_, waited, Deadline::now()), 1U) << "it stays so";
  const std::vector<std::uint32_t> unknown{1, 2, 4};
  EXPECT_THROW(wait_for_any_exit(member_, unknown, Deadline::now()), InvalidArgument);
}

TEST_F(ExitWait, wait_for_any_ends_when_asked_to_stop) {
  start(0);
  start(1);
  const std::vector<std::uint32_t> waited{0, 1};
  std::jthread waiter([&](const std::stop_token& stop) {
    EXPECT_EQ(wait_for_any_exit(member_, waited, WaitLimit(stop)), std::nullopt);
  });
  while (asleep() < 1) std::this_thread::yield();
  waiter.request_stop();
}

TEST_F(ExitWait, name_change_is_seen_by_who_waits_and_by_who_comes_later) {
  const std::uint32_t seen = name_changes(*member_);
  EXPECT_FALSE(wait_for_name_change(member_, seen, Deadline::after(1ms)));
  std::jthread waiter([&] { EXPECT_TRUE(wait_for_name_change(member_, seen, Deadline::never())); });
  while (asleep() != 1) std::this_thread::yield();

  ++node_.segment().header().name_changes;
  wake_who_waits_for_names(node_.segment());

  EXPECT_TRUE(wait_for_name_change(member_, seen, Deadline::now()));
}

}  // namespace
}  // namespace wyvern::test
