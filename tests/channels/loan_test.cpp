#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "support/two_members.hpp"

namespace wyvern::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

void fill(const ChannelLoan& loan, std::string_view text) {
  ASSERT_EQ(loan.bytes().size(), text.size());
  std::memcpy(loan.bytes().data(), text.data(), text.size());
}

bool is_aligned(const void* memory) {
  return reinterpret_cast<std::uintptr_t>(memory) % message_alignment == 0;
}

template <class Q>
concept CanLoan = requires(Q& queue) {
  queue.loan();
  queue.try_loan();
};

class LoanTest : public TwoMembers {};

TEST_F(LoanTest, message_built_in_place_is_got_as_it_was_filled) {
  Channel channel = make_channel();
  ChannelLoan loan = channel.loan(5);
  fill(loan, "hello");
  channel.put(std::move(loan));
  EXPECT_EQ(channel.size_approx(), 1U);
  EXPECT_EQ(text_of(open_as_other(channel).get()), "hello");
}

TEST_F(LoanTest, message_built_in_place_is_read_where_it_was_built) {
  for (const std::size_t size : {8U, 100'000U}) {
    Channel channel = make_channel();
    ChannelLoan loan = channel.loan(size);
    const std::byte* built_at = loan.bytes().data();
    channel.put(std::move(loan));
    const ChannelMessage message = open_as_other(channel).take();
    EXPECT_EQ(message.bytes().data(), built_at);
    EXPECT_EQ(message.bytes().size(), size);
  }
}

TEST_F(LoanTest, memory_is_aligned_whatever_the_size_and_the_inline_size) {
  for (const std::uint64_t inline_size : {0U, 1U, 100U, 256U}) {
    Channel channel = make_channel({.capacity = 4, .inline_size = inline_size});
    std::vector<ChannelLoan> loans;
    for (const std::size_t size : {1U, 63U, 64U, 65U, 256U, 257U, 512U, 513U, 16'384U, 16'385U, 100'000U}) {
      loans.push_back(channel.loan(size));
      EXPECT_TRUE(is_aligned(loans.back().bytes().data())) << inline_size << ' ' << size;
      EXPECT_EQ(loans.back().bytes().size(), size);
    }
  }
}

TEST_F(LoanTest, loan_of_no_bytes_is_a_message_of_no_bytes) {
  for (const std::uint64_t inline_size : {0U, 64U}) {
    Channel channel = make_channel({.inline_size = inline_size});
    ChannelLoan loan = channel.loan(0);
    EXPECT_TRUE(loan.bytes().empty());
    channel.put(std::move(loan));
    EXPECT_EQ(channel.take().bytes().size(), 0U);
    EXPECT_EQ(bytes_outside(channel), 0U);
  }
}

TEST_F(LoanTest, sizes_around_the_inline_size_all_arrive) {
  Channel channel = make_channel({.capacity = 1, .inline_size = 100});
  for (const std::size_t size : {99U, 100U, 101U}) {
    const std::string text(size, static_cast<char>('a' + size % 26));
    ChannelLoan loan = channel.loan(size);
    EXPECT_EQ(bytes_outside(channel) != 0, size > 100) << size;
    fill(loan, text);
    channel.put(std::move(loan));
    EXPECT_EQ(text_of(channel.get()), text);
    EXPECT_EQ(bytes_outside(channel), 0U);
  }
  EXPECT_EQ(audit_of(channel), "");
}

TEST_F(LoanTest, full_queue_leaves_the_loan_with_its_owner_as_it_was) {
  for (const std::size_t size : {5U, 5'000U}) {
    Channel channel = make_channel({.capacity = 1});
    channel.put(bytes_of("first"));
    const std::string text(size, 'x');
    ChannelLoan loan = channel.loan(size);
    fill(loan, text);
    const std::byte* memory = loan.bytes().data();

    EXPECT_FALSE(channel.try_put(std::move(loan)));
    EXPECT_FALSE(channel.try_put_for(1ms, std::move(loan)));
    EXPECT_FALSE(channel.try_put_until(steady_clock::now() + 1ms, std::move(loan)));

    EXPECT_EQ(loan.bytes().data(), memory);
    EXPECT_EQ(text_of(loan.bytes()), text);
    EXPECT_EQ(channel.size_approx(), 1U);
    EXPECT_EQ(text_of(channel.get()), "first");
    EXPECT_TRUE(channel.try_put(std::move(loan)));
    EXPECT_EQ(text_of(channel.get()), text);
  }
}

TEST_F(LoanTest, each_form_of_put_puts_a_loan_when_there_is_room) {
  auto queue = make<int>();
  const auto next = [&queue](int value) {
    Loan<int> loan = queue.loan();
    *loan = value;
    return loan;
  };
  const std::stop_source stop;
  queue.put(next(0));
  EXPECT_TRUE(queue.put(next(1), stop.get_token()));
  EXPECT_TRUE(queue.try_put(next(2)));
  EXPECT_TRUE(queue.try_put_for(1h, next(3)));
  EXPECT_TRUE(queue.try_put_until(steady_clock::now() + 1h, next(4)));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(queue.get(), i);
}

TEST_F(LoanTest, put_of_a_loan_waits_for_room) {
  auto queue = make<int>({.capacity = 1});
  queue.put(1);
  std::jthread producer([&, mine = open_as(other_, queue)]() mutable {
    Loan<int> loan = mine.loan();
    *loan = 2;
    mine.put(std::move(loan));
  });
  wait_for_sleepers(queue, InterestKind::room);
  EXPECT_EQ(queue.get(), 1);
  EXPECT_EQ(queue.get(), 2);
}

TEST_F(LoanTest, put_of_a_loan_wakes_a_consumer) {
  auto queue = make<int>();
  std::jthread consumer([mine = open_as(other_, queue)]() mutable { EXPECT_EQ(mine.get(), 9); });
  wait_for_sleepers(queue, InterestKind::message);
  Loan<int> loan = queue.loan();
  *loan = 9;
  queue.put(std::move(loan));
}

TEST_F(LoanTest, closed_queue_leaves_the_loan_with_its_owner) {
  for (const std::size_t size : {4U, 4'000U}) {
    Channel channel = make_channel();
    std::optional<ChannelLoan> loan = channel.loan(size);
    const std::string text(size, 'c');
    fill(*loan, text);
    channel.close();

    EXPECT_THROW(channel.put(std::move(*loan)), QueueClosed);
    EXPECT_THROW(channel.try_put(std::move(*loan)), QueueClosed);

    EXPECT_EQ(text_of(loan->bytes()), text);
    EXPECT_THROW(channel.loan(size), QueueClosed);
    EXPECT_THROW(channel.get(), QueueClosed);
    loan.reset();
    EXPECT_EQ(audit_of(channel), "");
  }
}

TEST_F(LoanTest, put_that_waits_is_told_of_a_close_and_keeps_its_loan) {
  auto queue = make<int>({.capacity = 1});
  queue.put(1);
  std::jthread producer([&, mine = open_as(other_, queue)]() mutable {
    Loan<int> loan = mine.loan();
    *loan = 2;
    EXPECT_THROW(mine.put(std::move(loan)), QueueClosed);
    EXPECT_EQ(*loan, 2);
  });
  wait_for_sleepers(queue, InterestKind::room);
  queue.close();
}

TEST_F(LoanTest, loan_of_another_queue_is_an_invalid_argument_and_stays_whole) {
  auto queue = make<int>();
  auto another = make<int>();
  Loan<int> loan = queue.loan();
  *loan = 3;
  EXPECT_THROW(another.put(std::move(loan)), InvalidArgument);
  EXPECT_THROW(another.try_put(std::move(loan)), InvalidArgument);
  EXPECT_TRUE(another.empty_approx());
  queue.put(std::move(loan));
  EXPECT_EQ(queue.get(), 3);
}

TEST_F(LoanTest, loan_that_was_put_cannot_be_put_again) {
  auto queue = make<int>();
  Loan<int> loan = queue.loan();
  *loan = 3;
  queue.put(std::move(loan));
  EXPECT_THROW(queue.put(std::move(loan)), InvalidArgument);
  EXPECT_EQ(queue.size_approx(), 1U);
  Loan<int> moved = queue.loan();
  const Loan<int> taken = std::move(moved);
  EXPECT_THROW(queue.put(std::move(moved)), InvalidArgument) << "nor one that was moved from";
}

TEST_F(LoanTest, move_assignment_gives_the_memory_of_the_loan_before_back) {
  Channel channel = make_channel();
  ChannelLoan loan = channel.loan(4096);
  ChannelLoan next = channel.loan(1024);
  fill(next, std::string(1024, 'n'));
  loan = std::move(next);
  EXPECT_EQ(bytes_outside(channel), 1024U);
  EXPECT_EQ(text_of(loan.bytes()), std::string(1024, 'n'));
  channel.put(std::move(loan));
  EXPECT_EQ(text_of(channel.get()), std::string(1024, 'n'));
  EXPECT_EQ(audit_of(channel), "");
}

TEST_F(LoanTest, move_assignment_to_itself_changes_nothing) {
  auto queue = make<int>();
  Loan<int> loan = queue.loan();
  *loan = 4;
  auto& same = loan;
  loan = std::move(same);
  queue.put(std::move(loan));
  EXPECT_EQ(queue.get(), 4);
}

TEST_F(LoanTest, loan_keeps_its_queue_and_lets_it_go_when_another_is_assigned) {
  { const Channel warm = make_channel(); }
  const std::uint64_t before = committed();
  std::optional<ChannelLoan> loan = make_channel().loan(10);
  EXPECT_GT(committed(), before);
  Channel channel = make_channel();
  ChannelLoan another = channel.loan(10);
  const std::uint64_t with_two = committed();
  *loan = std::move(another);
  EXPECT_LT(committed(), with_two);
  channel.put(std::move(*loan));
  loan.reset();
  EXPECT_EQ(channel.get().size(), 10U);
  channel = {};
  EXPECT_EQ(committed(), before);
}

TEST_F(LoanTest, many_loans_at_once_get_ports_and_are_put_in_any_order) {
  constexpr std::uint64_t count = 100;
  auto queue = make<std::uint64_t>();
  std::vector<Loan<std::uint64_t>> loans;
  for (std::uint64_t i = 0; i < count; ++i) {
    loans.push_back(queue.loan());
    *loans.back() = i;
  }
  EXPECT_GT(port_count(queue), first_ports);
  for (std::uint64_t i = count; i > 0; --i) {
    queue.put(std::move(loans.back()));
    loans.pop_back();
  }
  for (std::uint64_t i = count; i > 0; --i) ASSERT_EQ(queue.get(), i - 1);
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(LoanTest, loans_that_were_put_hold_no_place_any_more) {
  constexpr int count = 100;
  auto queue = make<int>();
  std::vector<Loan<int>> loans;
  for (int i = 0; i < count; ++i) {
    loans.push_back(queue.loan());
    *loans.back() = i;
    queue.put(std::move(loans.back()));
  }
  EXPECT_EQ(port_count(queue), first_ports);
  for (int i = 0; i < count; ++i) ASSERT_EQ(queue.get(), i);
}

TEST_F(LoanTest, typed_loan_is_a_value_that_starts_as_its_type_says) {
  struct Point {
    int x = 7;
    double y = 2.5;
  };
  auto queue = make<Point>();
  Loan<Point> loan = queue.loan();
  EXPECT_EQ(loan->x, 7);
  loan->x = 8;
  EXPECT_TRUE(is_aligned(&*loan));
  queue.put(std::move(loan));
  const Point point = queue.get();
  EXPECT_EQ(point.x, 8);
  EXPECT_EQ(point.y, 2.5);
}

TEST_F(LoanTest, typed_loan_larger_than_the_inline_size_travels_too) {
  struct Page {
    std::uint64_t words[1024];
  };
  auto queue = make<Page>({.capacity = 2});
  auto loan = queue.try_loan();
  ASSERT_TRUE(loan);
  for (std::uint64_t i = 0; i < 1024; ++i) (*loan)->words[i] = i;
  queue.put(std::move(*loan));
  const auto message = open_as(other_, queue).take();
  for (std::uint64_t i = 0; i < 1024; ++i) ASSERT_EQ(message->words[i], i);
}

TEST_F(LoanTest, only_values_that_are_their_own_bytes_can_be_lent) {
  struct alignas(2 * message_alignment) Wide {
    char bytes[256];
  };
  EXPECT_TRUE(CanLoan<Queue<int>>);
  EXPECT_TRUE(CanLoan<Producer<int>>);
  EXPECT_FALSE(CanLoan<Queue<std::string>>);
  EXPECT_FALSE(CanLoan<Producer<std::string>>);
  EXPECT_FALSE(CanLoan<Queue<Queue<int>>>);
  EXPECT_FALSE(CanLoan<Queue<Wide>>) << "its alignment is more than that of messages";
}

TEST_F(LoanTest, threads_that_lend_and_take_get_every_message_once) {
  constexpr std::uint64_t count = 3'000;
  auto queue = make<std::uint64_t>({.capacity = 16});
  std::atomic<std::uint64_t> sum = 0;
  std::atomic<std::uint64_t> got = 0;
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t producer = 0; producer < 2; ++producer) {
      threads.emplace_back([mine = open_as(producer == 0 ? member_ : other_, queue), producer]() mutable {
        for (std::uint64_t i = 0; i < count; ++i) {
          Loan<std::uint64_t> loan = mine.loan();
          *loan = producer * count + i;
          mine.put(std::move(loan));
        }
      });
      threads.emplace_back([&, mine = open_as(producer == 0 ? other_ : member_, queue)]() mutable {
        for (std::uint64_t i = 0; i < count; ++i) {
          sum += *mine.take();
          ++got;
        }
      });
    }
  }
  EXPECT_EQ(got, 2 * count);
  EXPECT_EQ(sum, 2 * count * (2 * count - 1) / 2);
  EXPECT_EQ(audit_of(queue), "");
}

}  // namespace
}  // namespace wyvern::test
