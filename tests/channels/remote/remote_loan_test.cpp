#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "remote_channel_scene.hpp"
#include "transport/pattern.hpp"

// Large messages that a process builds in place and puts ahead of the home's answers.
namespace wyvern::test {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t large = 300'000;

class RemoteLoanTest : public RemoteChannelTest {
 protected:
  static RemoteLoan filled(RemoteChannel& channel, char letter, std::size_t bytes = large) {
    RemoteLoan loan = channel.loan(bytes);
    std::ranges::fill(loan.bytes(), static_cast<std::byte>(letter));
    return loan;
  }
  static void put_filled(RemoteChannel& channel, char letter, std::size_t bytes = large) {
    RemoteLoan loan = filled(channel, letter, bytes);
    EXPECT_TRUE(channel.put(loan, WaitLimit::never()));
    EXPECT_FALSE(loan.belongs_to(channel));
  }
  static void expect_filled(const Channel& channel, char letter, std::size_t bytes = large) {
    EXPECT_TRUE(channel.get() == Bytes(bytes, static_cast<std::byte>(letter))) << letter;
  }
};
INSTANTIATE_TEST_SUITE_P(Over, RemoteLoanTest, ::testing::Values("tcp", "net"), path_name);

TEST_P(RemoteLoanTest, small_messages_and_loans_of_one_process_stay_in_order) {
  const Channel local = make_channel();
  const auto remote = open(local);
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    put_filled(*remote, letter);
    put(*remote, "behind");
    put_filled(*remote, letter, 100);
  }
  remote->flush();
  EXPECT_EQ(local.size_approx(), 78U);
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    expect_filled(local, letter);
    EXPECT_EQ(text_of(local.get()), "behind");
    expect_filled(local, letter, 100);
  }
  EXPECT_EQ(audit(home_->node.segment(), local.reference()), "");
}

TEST(LoansAhead, take_four_mebibytes_or_are_two) {
  LoansAhead ahead;
  const auto begin = [&](std::size_t bytes) {
    EXPECT_TRUE(ahead.may_begin(bytes));
    std::list<LoansAhead::Loan> one(1);
    one.front().size = bytes;
    ahead.begun(one);
  };
  constexpr std::size_t mebibyte = std::size_t{1} << 20;
  begin(mebibyte);
  begin(mebibyte / 2);
  begin(mebibyte / 2);
  begin(2 * mebibyte);
  EXPECT_FALSE(ahead.may_begin(1));
  EXPECT_TRUE(ahead.any_under_way());
  ahead.clear();
  EXPECT_FALSE(ahead.any_under_way());
  begin(100 * mebibyte);
  begin(100 * mebibyte);
  EXPECT_FALSE(ahead.may_begin(1));
}

TEST(LoanPool, what_was_used_last_is_used_next_where_it_fits) {
  LoanPool pool;
  LoanMemory first = pool.take(100'000);
  LoanMemory second = pool.take(200'000);
  const std::byte* const at_first = first.bytes.bytes().data();
  const std::byte* const at_second = second.bytes.bytes().data();
  pool.give_back(std::move(first));
  pool.give_back(std::move(second));
  EXPECT_EQ(pool.bytes(), 300'000U);
  EXPECT_EQ(pool.take(300'000).bytes.bytes().size(), 300'000U) << "neither is large enough";
  EXPECT_EQ(pool.take(49'000).bytes.bytes().size(), 49'000U) << "both are much too large";
  EXPECT_EQ(pool.take(100'000).bytes.bytes().data(), at_second);
  EXPECT_EQ(pool.take(100'000).bytes.bytes().data(), at_first);
  EXPECT_EQ(pool.bytes(), 0U);
}

TEST(LoanPool, memory_that_nobody_uses_is_bounded) {
  LoanPool pool;
  pool.give_back(pool.take(LoanPool::least_bytes - 1));
  pool.give_back(pool.take(LoanPool::most_bytes + 1));
  EXPECT_EQ(pool.bytes(), 0U) << "too small or too large to be kept";
  constexpr std::size_t bytes = std::size_t{3} << 20;
  std::array<LoanMemory, 3> taken;
  for (LoanMemory& memory : taken) memory = pool.take(bytes);
  const std::byte* const at_third = taken[2].bytes.bytes().data();
  for (LoanMemory& memory : taken) pool.give_back(std::move(memory));
  EXPECT_EQ(pool.bytes(), 2 * bytes) << "the first made room";
  EXPECT_EQ(pool.take(bytes).bytes.bytes().data(), at_third);
  std::vector<LoanMemory> many;
  for (int i = 0; i < 1000; ++i) many.push_back(pool.take(LoanPool::least_bytes));
  for (LoanMemory& memory : many) pool.give_back(std::move(memory));
  EXPECT_LE(pool.bytes(), LoanPool::most_bytes);
  EXPECT_GE(pool.bytes(), LoanPool::least_bytes);
}

TEST_P(RemoteLoanTest, memory_of_what_was_read_is_lent_again) {
  const Channel local = make_channel();
  const auto remote = open(local);
  const std::byte* at = nullptr;
  for (const char letter : {'a', 'b', 'c'}) {
    RemoteLoan loan = filled(*remote, letter);
    EXPECT_TRUE(at == nullptr || loan.bytes().data() == at);
    at = loan.bytes().data();
    EXPECT_TRUE(
        remote->put(loan, letter == 'b' ? Deadline::after(std::chrono::minutes(1)) : WaitLimit::never()));
    remote->flush();
  }
  for (const char letter : {'a', 'b', 'c'}) expect_filled(local, letter);
}

TEST_P(RemoteLoanTest, loan_that_is_dropped_after_it_was_refused_is_lent_again) {
  const Channel local = make_channel({.capacity = 1});
  const auto remote = open(local);
  put_filled(*remote, 'a');
  remote->flush();
  const std::byte* at = nullptr;
  {
    RemoteLoan loan = filled(*remote, 'b');
    at = loan.bytes().data();
    EXPECT_FALSE(remote->put(loan, Deadline::after(milliseconds(1))));
    RemoteLoan moved = std::move(loan);
    EXPECT_TRUE(loan.bytes().empty());
    EXPECT_EQ(moved.bytes().data(), at);
  }
  EXPECT_EQ(remote->loan(large).bytes().data(), at);
  expect_filled(local, 'a');
}

TEST_P(RemoteLoanTest, loans_put_ahead_of_a_full_queue_arrive_when_there_is_room) {
  const Channel local = make_channel({.capacity = 1});
  const auto remote = open(local);
  constexpr std::size_t very_large = 6'000'000;
  put_filled(*remote, 'a', very_large);
  put_filled(*remote, 'b', very_large);
  std::thread more([&] {
    put_filled(*remote, 'c', very_large);
    put_filled(*remote, 'd', very_large);
  });
  for (const char letter : {'a', 'b', 'c', 'd'}) expect_filled(local, letter, very_large);
  more.join();
  EXPECT_EQ(audit(home_->node.segment(), local.reference()), "");
}

TEST_P(RemoteLoanTest, threads_that_put_loans_side_by_side_lose_none) {
  const Channel local = make_channel({.capacity = 2});
  const auto remote = open(local);
  constexpr std::size_t each = 20;
  std::vector<std::thread> threads;
  for (const char letter : {'a', 'b', 'c'}) {
    threads.emplace_back([&, letter] {
      for (std::size_t i = 0; i < each; ++i) put_filled(*remote, letter, large + i);
    });
  }
  std::array<std::size_t, 3> seen{};
  for (std::size_t i = 0; i < 3 * each; ++i) {
    const Bytes bytes = local.get();
    std::size_t& count = seen.at(static_cast<std::size_t>(bytes.front()) - 'a');
    EXPECT_EQ(bytes.size(), large + count++) << "in the order of their thread";
    EXPECT_EQ(bytes.back(), bytes.front());
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(RemoteLoanTest, loans_that_were_put_before_the_queue_is_let_go_arrive) {
  const Channel local = make_channel({.capacity = 1});
  {
    const auto remote = open(local);
    for (const char letter : {'a', 'b', 'c'}) put_filled(*remote, letter);
  }
  for (const char letter : {'a', 'b', 'c'}) expect_filled(local, letter);
}

TEST_P(RemoteLoanTest, process_that_leaves_waits_until_its_loans_are_read) {
  const Channel local = make_channel({.capacity = 1});
  auto remote = open(local);
  for (const char letter : {'a', 'b', 'c'}) put_filled(*remote, letter);
  remote = nullptr;
  std::thread leaving([&] { access_->leave(); });
  for (const char letter : {'a', 'b', 'c'}) expect_filled(local, letter);
  leaving.join();
}

TEST_P(RemoteLoanTest, close_of_the_same_process_comes_behind_its_loans) {
  const Channel local = make_channel({.capacity = 1});
  const auto remote = open(local);
  for (const char letter : {'a', 'b'}) put_filled(*remote, letter);
  std::thread closing([&] { remote->close(); });
  for (const char letter : {'a', 'b'}) expect_filled(local, letter);
  closing.join();
  EXPECT_THROW(local.get(), QueueClosed);
  EXPECT_THROW(put_filled(*remote, 'c'), QueueClosed);
}

TEST_P(RemoteLoanTest, loans_that_meet_the_close_of_another_are_told) {
  const Channel local = make_channel({.capacity = 1});
  const auto remote = open(local);
  for (const char letter : {'a', 'b', 'c'}) put_filled(*remote, letter);
  wait_for([&] { return local.size_approx() == 1; });
  local.close();
  expect_turned_back(*remote, 2);
  RemoteLoan loan = filled(*remote, 'd');
  EXPECT_THROW(remote->put(loan, WaitLimit::never()), QueueClosed);
  EXPECT_TRUE(loan.belongs_to(*remote)) << "it is its owner's";
  expect_filled(local, 'a');
  EXPECT_THROW(local.get(), QueueClosed);
}

TEST_P(RemoteLoanTest, loans_end_when_the_node_is_lost) {
  const Channel local = make_channel({.capacity = 1});
  const auto remote = open(local);
  for (const char letter : {'a', 'b'}) put_filled(*remote, letter);
  home_->stop();
  EXPECT_THROW(remote->flush(), NodeLost);
  RemoteLoan loan = filled(*remote, 'c');
  EXPECT_THROW(remote->put(loan, WaitLimit::never()), NodeLost);
  EXPECT_TRUE(loan.belongs_to(*remote)) << "it is its owner's";
}

TEST_P(RemoteLoanTest, loan_that_is_not_put_in_time_is_as_it_was) {
  const Channel local = make_channel({.capacity = 1});
  const auto remote = open(local);
  put_filled(*remote, 'a');
  RemoteLoan loan = filled(*remote, 'b');
  EXPECT_FALSE(remote->put(loan, Deadline::after(milliseconds(20))));
  expect_filled(local, 'a');
  EXPECT_TRUE(remote->put(loan, WaitLimit::never()));
  expect_filled(local, 'b');
}

}  // namespace
}  // namespace wyvern::test
