#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "support/two_members.hpp"

namespace wyvern::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

struct Point {
  int x;
  int y;
};

class MessageTest : public TwoMembers {};

TEST_F(MessageTest, message_that_was_taken_is_out_of_the_queue_and_readable) {
  auto queue = make<int>();
  queue.put(1);
  const Message<int> message = open_as(other_, queue).take();
  EXPECT_EQ(*message, 1);
  EXPECT_TRUE(queue.empty_approx());
  EXPECT_FALSE(queue.try_take());
}

TEST_F(MessageTest, each_form_of_take_gives_the_next_message) {
  auto queue = make<int>();
  for (int i = 0; i < 5; ++i) queue.put(i);
  const std::stop_source stop;
  EXPECT_EQ(*queue.take(), 0);
  EXPECT_EQ(**queue.take(stop.get_token()), 1);
  EXPECT_EQ(**queue.try_take(), 2);
  EXPECT_EQ(**queue.try_take_for(1h), 3);
  EXPECT_EQ(**queue.try_take_until(steady_clock::now() + 1h), 4);
}

TEST_F(MessageTest, take_on_an_empty_queue_gives_nothing_in_time) {
  auto queue = make<int>();
  EXPECT_FALSE(queue.try_take());
  EXPECT_FALSE(queue.try_take_for(1ms));
  EXPECT_FALSE(queue.try_take_until(steady_clock::now() + 1ms));
}

TEST_F(MessageTest, take_on_a_closed_queue_drains_it_and_then_says_so) {
  auto queue = make<int>();
  queue.put(1);
  queue.close();
  EXPECT_EQ(*queue.take(), 1);
  EXPECT_THROW(queue.take(), QueueClosed);
  EXPECT_THROW(queue.try_take(), QueueClosed);
}

TEST_F(MessageTest, take_that_waits_gets_what_is_put) {
  auto queue = make<std::string>();
  std::jthread consumer([mine = open_as(other_, queue)]() mutable { EXPECT_EQ(*mine.take(), "late"); });
  wait_for_sleepers(queue, InterestKind::message);
  queue.put("late");
}

TEST_F(MessageTest, trivially_copyable_value_lies_in_the_queue) {
  auto queue = make<Point>();
  Loan<Point> loan = queue.loan();
  *loan = {1, 2};
  const Point* built_at = &*loan;
  queue.put(std::move(loan));
  Message<Point> message = queue.take();
  EXPECT_EQ(&*message, built_at);
  EXPECT_EQ(message->y, 2);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&*message) % message_alignment, 0U);
  const Message<Point> moved = std::move(message);
  EXPECT_EQ(&*moved, built_at) << "moving the message does not move the value";
}

TEST_F(MessageTest, other_values_are_decoded_once) {
  auto queue = make<std::vector<std::string>>();
  queue.put({"a", "b"});
  const Message<std::vector<std::string>> message = queue.take();
  EXPECT_EQ(message->size(), 2U);
  EXPECT_EQ(&message->front(), &(*message)[0]);
  EXPECT_EQ((*message)[1], "b");
}

TEST_F(MessageTest, value_aligned_more_than_messages_are_is_copied_to_where_it_may_be) {
  struct alignas(2 * message_alignment) Wide {
    std::uint64_t word;
  };
  auto queue = make<Wide>();
  std::vector<Message<Wide>> messages;
  for (std::uint64_t i = 0; i < 3; ++i) {
    queue.put({i});
    messages.push_back(queue.take());
  }
  for (std::uint64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(messages[i]->word, i);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&*messages[i]) % alignof(Wide), 0U);
  }
}

TEST_F(MessageTest, message_is_not_touched_by_what_comes_after_it) {
  for (const std::size_t size : {10U, 3'000U}) {
    auto channel = make_channel({.capacity = 2});
    channel.put(std::vector(size, std::byte{1}));
    const ChannelMessage message = channel.take();
    for (int i = 0; i < 100; ++i) {
      channel.put(std::vector(size, std::byte{2}));
      channel.put(std::vector(size, std::byte{3}));
      channel.get();
      channel.get();
    }
    EXPECT_EQ(text_of(message.bytes()), std::string(size, '\1'));
  }
}

TEST_F(MessageTest, memory_goes_back_when_the_message_is_destroyed) {
  auto queue = make<std::string>({.max_bytes = 4096});
  queue.put(std::string(3'000, 'x'));
  {
    const auto message = queue.take();
    EXPECT_NE(bytes_outside(queue), 0U);
    EXPECT_FALSE(queue.try_put(std::string(3'000, 'y')));
  }
  EXPECT_EQ(bytes_outside(queue), 0U);
  EXPECT_TRUE(queue.try_put(std::string(3'000, 'y')));
  queue.get();
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(MessageTest, put_that_waits_for_memory_goes_on_when_the_message_is_destroyed) {
  auto queue = make<std::string>({.max_bytes = 4096});
  queue.put(std::string(3'000, 'x'));
  std::optional message = queue.take();
  std::jthread producer([mine = open_as(other_, queue)]() mutable { mine.put(std::string(3'000, 'y')); });
  wait_for_sleepers(queue, InterestKind::payload_room);
  message.reset();
  EXPECT_EQ(queue.get().front(), 'y');
}

TEST_F(MessageTest, place_in_the_queue_is_free_as_soon_as_the_message_is_taken) {
  auto queue = make<int>({.capacity = 1});
  queue.put(1);
  const auto message = queue.take();
  EXPECT_TRUE(queue.try_put(2));
  EXPECT_EQ(*message, 1);
}

TEST_F(MessageTest, move_assignment_gives_the_memory_of_the_message_before_back) {
  auto queue = make<std::string>();
  queue.put(std::string(4'000, 'a'));
  queue.put(std::string(1'000, 'b'));
  auto message = queue.take();
  auto next = queue.take();
  message = std::move(next);
  EXPECT_EQ(bytes_outside(queue), 1024U);
  EXPECT_EQ(*message, std::string(1'000, 'b'));
}

TEST_F(MessageTest, move_assignment_lets_the_queue_of_the_message_before_go) {
  make<int>();
  const std::uint64_t before = committed();
  const auto taken_from_its_own = [this](int value) {
    auto queue = make<int>();
    queue.put(value);
    return queue.take();
  };
  auto message = taken_from_its_own(1);
  const std::uint64_t with_one = committed();
  EXPECT_GT(with_one, before);
  message = taken_from_its_own(2);
  EXPECT_EQ(committed(), with_one);
  EXPECT_EQ(*message, 2);
  std::optional last = std::move(message);
  last.reset();
  EXPECT_EQ(committed(), before);
}

TEST_F(MessageTest, message_outlives_every_handle_of_its_queue) {
  make<int>();
  const std::uint64_t before = committed();
  std::optional<Message<std::string>> message;
  {
    auto queue = make<std::string>();
    queue.put("still here");
    message.emplace(queue.take());
  }
  EXPECT_EQ(**message, "still here");
  EXPECT_GT(committed(), before);
  message.reset();
  EXPECT_EQ(committed(), before);
}

TEST_F(MessageTest, many_messages_can_be_read_at_a_time) {
  constexpr int count = 300;
  auto queue = make<int>({.capacity = 8});
  std::vector<Message<int>> messages;
  for (int i = 0; i < count; ++i) {
    queue.put(i);
    messages.push_back(queue.take());
  }
  for (int i = 0; i < count; ++i) ASSERT_EQ(*messages[static_cast<std::size_t>(i)], i);
  const std::uint32_t ports = port_count(queue);
  EXPECT_GE(ports, static_cast<std::uint32_t>(count));
  messages.clear();
  for (int i = 0; i < count; ++i) {
    queue.put(i);
    messages.push_back(queue.take());
  }
  EXPECT_EQ(port_count(queue), ports) << "places are used again";
  messages.clear();
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(MessageTest, messages_beyond_what_a_queue_can_track_are_out_of_memory_until_one_is_destroyed) {
  auto queue = make<int>({.capacity = 1, .inline_size = 4});
  std::vector<Message<int>> messages;
  const auto hold_one_more = [&] {
    queue.put(1);
    messages.push_back(queue.take());
  };
  EXPECT_THROW(
      {
        while (messages.size() <= max_ports) hold_one_more();
      },
      OutOfMemory);
  EXPECT_GT(messages.size(), max_ports / 2);
  messages.pop_back();
  EXPECT_NO_THROW(hold_one_more());
  messages.clear();
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(MessageTest, bytes_that_are_no_value_throw_when_taken_and_have_left_the_queue) {
  auto queue = make<Point>();
  Channel bytes = queue.channel();
  bytes.put(bytes_of("abc"));
  queue.put({1, 2});
  try {
    queue.take();
    FAIL();
  } catch (const DecodeError& error) {
    EXPECT_EQ(error.bytes().size(), 3U);
  }
  EXPECT_EQ(queue.take()->y, 2);
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(MessageTest, message_of_the_dead_is_gone_and_its_memory_free) {
  auto victim = node_.join();
  auto queue = make<std::string>({.max_bytes = 4096});
  queue.put(std::string(3'000, 'x'));
  abandon(abandon(open_as(victim, queue)).take());
  node_.bury(*victim);
  EXPECT_EQ(bytes_outside(queue), 0U);
  EXPECT_TRUE(queue.empty_approx());
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(MessageTest, messages_cannot_be_copied) {
  EXPECT_FALSE(std::is_copy_constructible_v<Message<int>>);
  EXPECT_FALSE(std::is_copy_constructible_v<Lease<int>>);
  EXPECT_FALSE(std::is_copy_constructible_v<Loan<int>>);
  EXPECT_TRUE(std::is_nothrow_move_constructible_v<ChannelMessage>);
  EXPECT_TRUE(std::is_nothrow_move_assignable_v<ChannelMessage>);
  EXPECT_TRUE(std::is_nothrow_move_assignable_v<ChannelLoan>);
  EXPECT_TRUE(std::is_nothrow_move_assignable_v<ChannelLease>);
}

}  // namespace
}  // namespace wyvern::test
