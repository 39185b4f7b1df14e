#include <cstdint>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "handle_scene.hpp"

namespace wyvern::test {
namespace {

/// What a handle in a message keeps alive, and what goes with it.
class HandleLifetimeTest : public HandleScene {};

TEST_F(HandleLifetimeTest, queue_in_a_message_is_alive_when_its_sender_has_let_go) {
  auto carrier = make<Queue<int>>();
  ObjectReference reference;
  {
    auto inner = with_value(5);
    reference = reference_of(inner);
    carrier.put(inner);
  }
  node_.sweep();
  EXPECT_TRUE(is_alive(reference));
  {
    auto got = get_as(other_, carrier);
    EXPECT_EQ(reference_of(got), reference);
    node_.sweep();
    EXPECT_EQ(got.get(), 5);
  }
  EXPECT_FALSE(is_alive(reference)) << "gone with the last handle";
  EXPECT_EQ(audit_of(carrier), "");
}

TEST_F(HandleLifetimeTest, queue_in_a_message_is_alive_when_its_sender_has_died) {
  auto sender = node_.join();
  auto carrier = make<Queue<int>>();
  auto& theirs = abandon(make_queue<int>(sender));
  theirs.put(6);
  abandon(open_as(sender, carrier)).put(theirs);
  const ObjectReference reference = reference_of(theirs);
  node_.bury(*sender);
  node_.sweep();
  EXPECT_TRUE(is_alive(reference));
  EXPECT_EQ(carrier.get().get(), 6);
  EXPECT_FALSE(is_alive(reference));
}

TEST_F(HandleLifetimeTest, message_that_is_held_keeps_its_queue_and_so_does_what_was_copied_from_it) {
  auto carrier = make<Queue<int>>();
  const auto reference = [&] {
    auto inner = with_value(1);
    carrier.put(inner);
    return reference_of(inner);
  }();
  std::optional message = carrier.take();
  std::optional<Queue<int>> copy = **message;
  message.reset();
  node_.sweep();
  EXPECT_TRUE(is_alive(reference));
  EXPECT_EQ(copy->get(), 1);
  copy.reset();
  node_.sweep();
  EXPECT_FALSE(is_alive(reference));
}

TEST_F(HandleLifetimeTest, queue_in_a_message_given_back_stays_alive) {
  auto carrier = make<Queue<int>>();
  carrier.put(with_value(4));
  { const auto lease = carrier.lease(); }
  node_.sweep();
  auto victim = node_.join();
  {
    Member::set_current(victim);
    abandon(abandon(open_as(victim, carrier)).lease());
    Member::set_current(member_);
  }
  node_.bury(*victim);
  node_.sweep();
  auto lease = carrier.lease();
  EXPECT_EQ(lease.delivery_count(), 2U);
  EXPECT_EQ(Queue<int>(*lease).get(), 4);
  lease.done();
}

TEST_F(HandleLifetimeTest, message_that_is_dropped_unread_with_its_queue_lets_go_what_it_carried) {
  {
    auto carrier = make<Queue<int>>();
    carrier.put(with_value(1));
    carrier.put(with_value(2));
    { const auto lease = carrier.lease(); }  // one in the ring, one given back
  }
  node_.sweep();
  EXPECT_EQ(committed(), before_);
}

TEST_F(HandleLifetimeTest, bytes_that_are_got_without_opening_the_handle_let_it_go) {
  auto carrier = make<Queue<int>>();
  const auto reference = [&] {
    auto inner = with_value(1);
    carrier.put(inner);
    return reference_of(inner);
  }();
  Channel bytes = carrier.channel();
  const auto kept = bytes.get();
  node_.sweep();
  EXPECT_FALSE(is_alive(reference));
  EXPECT_THROW(decode_from<Queue<int>>(kept), QueueLost);
}

TEST_F(HandleLifetimeTest, receiver_that_dies_after_its_get_takes_the_queue_along) {
  auto victim = node_.join();
  auto carrier = make<Queue<int>>();
  const auto reference = [&] {
    auto inner = with_value(1);
    carrier.put(inner);
    return reference_of(inner);
  }();
  abandon(get_as(victim, carrier));
  node_.sweep();
  EXPECT_TRUE(is_alive(reference));
  node_.bury(*victim);
  EXPECT_FALSE(is_alive(reference));
}

TEST_F(HandleLifetimeTest, receiver_that_dies_while_it_reads_takes_the_queue_along) {
  auto victim = node_.join();
  auto carrier = make<Queue<int>>();
  const auto reference = [&] {
    auto inner = with_value(1);
    carrier.put(inner);
    return reference_of(inner);
  }();
  abandon(abandon(open_as(victim, carrier).channel()).take());
  node_.sweep();
  EXPECT_TRUE(is_alive(reference)) << "its message names it";
  node_.bury(*victim);
  node_.sweep();
  EXPECT_FALSE(is_alive(reference));
}

TEST_F(HandleLifetimeTest, queues_in_messages_of_queues_in_messages_live_and_go_together) {
  auto outer = make<Queue<Queue<Queue<int>>>>();
  {
    auto middle = make<Queue<Queue<int>>>();
    auto inner = make<Queue<int>>();
    inner.put(with_value(42));
    middle.put(inner);
    outer.put(middle);
  }
  node_.sweep();
  EXPECT_EQ(outer.get().get().get().get(), 42);
  node_.sweep();
  {
    auto middle = make<Queue<Queue<int>>>();
    auto inner = make<Queue<int>>();
    inner.put(with_value(42));
    middle.put(inner);
    outer.put(middle);
  }
  node_.sweep();
  outer = {};
  node_.sweep();
  EXPECT_EQ(committed(), before_);
}

TEST_F(HandleLifetimeTest, queues_in_one_message_go_together) {
  constexpr int count = 2'000;
  {
    auto first = make<std::vector<Queue<int>>>({.capacity = 1});
    std::vector<Queue<int>> all;
    all.reserve(count);
    for (int i = 0; i < count; ++i) all.push_back(make<int>({.capacity = 1, .inline_size = 8}));
    first.put(all);
  }
  node_.sweep();
  EXPECT_EQ(count_alive(), 0U);
}

TEST_F(HandleLifetimeTest, long_chain_goes_with_its_first_queue) {
  {
    // Each in a message of the one after it; a queue of channels can carry one of its own kind.
    auto last = make<Channel>({.capacity = 1});
    for (int i = 0; i < 2'000; ++i) {
      auto next = make<Channel>({.capacity = 1});
      next.put(last.channel());
      last = next;
    }
    EXPECT_EQ(count_alive(), 2'001U);
  }
  node_.sweep();
  EXPECT_EQ(count_alive(), 0U);
}

TEST_F(HandleLifetimeTest, queue_that_carries_a_handle_to_itself_goes_with_its_last_holder) {
  {
    auto carrier = make<Channel>();
    carrier.put(carrier.channel());
  }
  node_.sweep();
  EXPECT_EQ(committed(), before_);
}

TEST_F(HandleLifetimeTest, place_of_a_queue_that_has_gone_is_used_again) {
  auto carrier = make<Queue<int>>();
  std::optional<std::uint32_t> index;
  for (int i = 0; i < 100; ++i) {
    const auto reference = [&] {
      auto inner = with_value(i);
      carrier.put(inner);
      return reference_of(inner);
    }();
    EXPECT_EQ(reference.index, index.value_or(reference.index));
    index = reference.index;
    node_.sweep();
    ASSERT_EQ(get_as(other_, carrier).get(), i);
    ASSERT_FALSE(is_alive(reference));
  }
}

}  // namespace
}  // namespace wyvern::test
