#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "support/two_members.hpp"

namespace wyvern::test {
namespace {

using namespace std::chrono_literals;

class LoanMemory : public TwoMembers {};

TEST_F(LoanMemory, loan_that_can_never_fit_is_too_large) {
  Channel channel = make_channel({.max_bytes = 4096});
  EXPECT_THROW(channel.loan(4097), TooLarge);
  EXPECT_THROW(channel.try_loan(std::size_t{1} << 40), TooLarge);
  EXPECT_NO_THROW(channel.loan(4096));
  EXPECT_EQ(audit_of(channel), "");
}

TEST_F(LoanMemory, no_memory_on_the_node_is_out_of_memory_and_changes_nothing) {
  Channel channel = make_channel({.max_bytes = std::uint64_t{1} << 40});
  EXPECT_THROW(channel.loan(node_.segment().header().memory_ceiling), OutOfMemory);
  EXPECT_EQ(bytes_outside(channel), 0U);
  EXPECT_EQ(audit_of(channel), "");
  EXPECT_NO_THROW(channel.loan(100'000));
}

TEST_F(LoanMemory, dropped_loans_leave_nothing) {
  Channel channel = make_channel({.capacity = 2, .max_bytes = std::uint64_t{64} * 1024});
  for (int i = 0; i < 1'000; ++i) {
    const ChannelLoan small = channel.loan(10);
    const ChannelLoan large = channel.loan(40'000);
    EXPECT_NE(bytes_outside(channel), 0U);
  }
  EXPECT_EQ(bytes_outside(channel), 0U);
  EXPECT_TRUE(channel.empty_approx());
  EXPECT_EQ(audit_of(channel), "");
  EXPECT_EQ(audit_node(node_.segment()), "");
  EXPECT_EQ(port_count(channel), first_ports);
}

TEST_F(LoanMemory, loans_count_against_max_bytes) {
  Channel channel = make_channel({.max_bytes = 8192});
  std::optional<ChannelLoan> first = channel.loan(4096);
  const ChannelLoan second = channel.loan(4096);
  EXPECT_FALSE(channel.try_loan(4096));
  EXPECT_FALSE(channel.loan_within(4096, Deadline::after(1ms)));
  EXPECT_TRUE(channel.try_loan(256)) << "what is kept in the blocks does not count";
  first.reset();
  EXPECT_TRUE(channel.try_loan(4096));
}

TEST_F(LoanMemory, loan_waits_at_max_bytes_until_a_message_is_read) {
  Channel channel = make_channel({.max_bytes = 4096});
  channel.put(std::vector<std::byte>(4096));
  auto waiting = std::async(std::launch::async, [mine = open_as_other(channel)]() mutable {
    ChannelLoan loan = mine.loan(4096);
    mine.put(std::move(loan));
  });
  wait_for_sleepers(channel, InterestKind::payload_room);
  std::optional<ChannelMessage> message = channel.take();
  EXPECT_EQ(channel.try_take(), std::nullopt) << "a message that is being read still takes its memory";
  message.reset();
  waiting.get();
  EXPECT_EQ(channel.get().size(), 4096U);
}

TEST_F(LoanMemory, loan_waits_at_max_bytes_until_another_loan_is_dropped) {
  Channel channel = make_channel({.max_bytes = 4096});
  std::optional<ChannelLoan> loan = channel.loan(1024);
  auto waiting = std::async(std::launch::async, [mine = open_as_other(channel)]() mutable {
    return mine.loan(4096).bytes().size();
  });
  wait_for_sleepers(channel, InterestKind::payload_room);
  loan.reset();
  EXPECT_EQ(waiting.get(), 4096U);
  EXPECT_EQ(audit_of(channel), "");
}

TEST_F(LoanMemory, loan_that_waits_for_memory_is_told_of_a_close) {
  Channel channel = make_channel({.max_bytes = 4096});
  const ChannelLoan loan = channel.loan(4096);
  std::jthread waiting(
      [mine = open_as_other(channel)]() mutable { EXPECT_THROW(mine.loan(4096), QueueClosed); });
  wait_for_sleepers(channel, InterestKind::payload_room);
  channel.close();
}

TEST_F(LoanMemory, loan_of_the_dead_leaves_nothing) {
  auto victim = node_.join();
  Channel channel = make_channel({.max_bytes = 4096});
  Channel& theirs =
      abandon(Channel::open(victim, channel.reference(), raw_bytes_type_hash, raw_bytes_type_name));
  abandon(theirs.loan(10));
  abandon(theirs.loan(4096));
  EXPECT_FALSE(channel.try_loan(4096));

  node_.bury(*victim);

  EXPECT_TRUE(channel.try_loan(4096));
  EXPECT_EQ(audit_of(channel), "");
}

}  // namespace
}  // namespace wyvern::test
