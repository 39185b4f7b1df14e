#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "support/two_members.hpp"

namespace wyvern::test {

struct Request {
  std::string text;
  Queue<int> answers;
};

struct Order {
  int number = 0;
  std::vector<Request> requests;
  std::optional<Queue<std::string>> log;
};

namespace {

class HandleTest : public TwoMembers {
 protected:
  /// Everybody that plays a process has gone through its tables once, so that memory can be compared.
  HandleTest() {
    {
      std::vector<Queue<int>> queues;
      for (int i = 0; i < 20; ++i) queues.push_back(make<int>());
    }
    before_ = committed();
  }

  bool is_alive(const ObjectReference& reference) const {
    return node_.segment().object(reference.index).id == reference.id.value();
  }
  std::uint32_t count_alive() const {
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < node_.segment().header().objects_ready; ++i) {
      count += node_.segment().object(i).id != 0;
    }
    return count;
  }
  /// A queue of our own with `value` in it; what is left of it is in the message.
  static ObjectReference reference_of(const auto& queue) { return queue.channel().reference(); }
  Queue<int> with_value(int value) {
    auto queue = make<int>({.capacity = 4});
    queue.put(value);
    return queue;
  }
  template <class T>
  T get_as(const std::shared_ptr<Member>& member, const Queue<T>& queue) {
    Member::set_current(member);
    auto value = open_as(member, queue).get();
    Member::set_current(member_);
    return value;
  }

  std::uint64_t before_ = 0;
};

TEST_F(HandleTest, queue_in_a_message_is_alive_when_its_sender_has_let_go) {
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

TEST_F(HandleTest, queue_in_a_message_is_alive_when_its_sender_has_died) {
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

TEST_F(HandleTest, queue_is_found_wherever_the_handle_is_in_a_value) {
  auto orders = make<Order>();
  auto vectors = make<std::vector<Queue<int>>>();
  auto maps = make<std::map<std::string, Queue<int>>>();
  auto pointers = make<std::unique_ptr<Queue<int>>>();
  {
    Order order{.number = 1, .requests = {}, .log = make<std::string>()};
    order.log->put("begun");
    for (int i = 0; i < 3; ++i) order.requests.push_back({std::string(200, 'r'), with_value(i)});
    orders.put(order);
    vectors.put({with_value(10), with_value(11)});
    vectors.put({});
    maps.put({{"a", with_value(20)}, {"b", with_value(21)}});
    pointers.put(std::make_unique<Queue<int>>(with_value(30)));
  }
  node_.sweep();
  {
    auto order = get_as(other_, orders);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(order.requests[static_cast<std::size_t>(i)].answers.get(), i);
    EXPECT_EQ(order.log->get(), "begun");
    auto vector = vectors.get();
    EXPECT_EQ(vector.at(1).get(), 11);
    EXPECT_TRUE(vectors.get().empty());
    EXPECT_EQ(maps.get().at("b").get(), 21);
    EXPECT_EQ(pointers.get()->get(), 30);
  }
  orders = {};
  vectors = {};
  maps = {};
  pointers = {};
  node_.sweep();
  EXPECT_EQ(count_alive(), 0U);
}

TEST_F(HandleTest, channel_of_bytes_travels_too) {
  auto carrier = make<Channel>();
  {
    Channel inner = make_channel();
    inner.put(bytes_of("raw"));
    carrier.put(inner);
  }
  node_.sweep();
  EXPECT_EQ(text_of(carrier.get().get()), "raw");
}

TEST_F(HandleTest, same_queue_twice_in_a_message_and_in_several_messages_is_one) {
  auto carrier = make<std::vector<Queue<int>>>();
  ObjectReference reference;
  {
    auto inner = with_value(1);
    reference = reference_of(inner);
    carrier.put({inner, inner});
    carrier.put({inner});
  }
  node_.sweep();
  carrier.get();
  EXPECT_TRUE(is_alive(reference));
  auto last = carrier.get();
  EXPECT_EQ(last.front().get(), 1);
  last.clear();
  EXPECT_FALSE(is_alive(reference));
}

TEST_F(HandleTest, messages_with_more_handles_than_their_block_holds_keep_them_outside) {
  constexpr int count = 50;
  auto carrier = make<std::vector<Queue<int>>>({.inline_size = 64});
  {
    std::vector<Queue<int>> queues;
    for (int i = 0; i < count; ++i) queues.push_back(with_value(i));
    carrier.put(queues);
  }
  EXPECT_NE(bytes_outside(carrier), 0U);
  node_.sweep();
  auto queues = carrier.get();
  for (int i = 0; i < count; ++i) EXPECT_EQ(queues[static_cast<std::size_t>(i)].get(), i);
  EXPECT_EQ(bytes_outside(carrier), 0U);
}

TEST_F(HandleTest, payload_that_fills_its_block_has_its_handles_outside_as_well) {
  auto carrier = make<Request>({.inline_size = 256});
  for (std::size_t length = 220; length < 260; ++length) {
    carrier.put({std::string(length, 't'), with_value(static_cast<int>(length))});
    node_.sweep();
    auto got = carrier.get();
    EXPECT_EQ(got.text.size(), length);
    EXPECT_EQ(got.answers.get(), static_cast<int>(length));
  }
  EXPECT_EQ(audit_of(carrier), "");
}

TEST_F(HandleTest, put_that_finds_no_room_keeps_nothing_alive) {
  auto carrier = make<Queue<int>>({.capacity = 1});
  carrier.put(with_value(1));
  ObjectReference refused;
  {
    auto inner = with_value(2);
    refused = reference_of(inner);
    EXPECT_FALSE(carrier.try_put(inner));
  }
  node_.sweep();
  EXPECT_FALSE(is_alive(refused));
  carrier.close();
  {
    auto inner = with_value(3);
    refused = reference_of(inner);
    EXPECT_THROW(carrier.put(inner), QueueClosed);
  }
  node_.sweep();
  EXPECT_FALSE(is_alive(refused));
  EXPECT_EQ(carrier.get().get(), 1);
}

TEST_F(HandleTest, handle_goes_by_every_way_of_putting_and_taking) {
  auto carrier = make<Queue<int>>();
  for (int i = 0; i < 3; ++i) carrier.put(with_value(i));
  carrier.put_many(std::vector{with_value(3), with_value(4)});
  node_.sweep();
  {
    auto message = carrier.take();
    EXPECT_EQ(Queue<int>(*message).get(), 0);
    auto lease = carrier.lease();
    EXPECT_EQ(Queue<int>(*lease).get(), 1);
    lease.done();
    auto got = carrier.get_many(9);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(got[static_cast<std::size_t>(i)].get(), i + 2);
  }
  node_.sweep();
  carrier = {};
  EXPECT_EQ(committed(), before_);
}

TEST_F(HandleTest, message_that_is_held_keeps_its_queue_and_so_does_what_was_copied_from_it) {
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

TEST_F(HandleTest, queue_in_a_message_given_back_stays_alive) {
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

TEST_F(HandleTest, message_that_is_dropped_unread_with_its_queue_lets_go_what_it_carried) {
  {
    auto carrier = make<Queue<int>>();
    carrier.put(with_value(1));
    carrier.put(with_value(2));
    { const auto lease = carrier.lease(); }  // one in the ring, one given back
  }
  node_.sweep();
  EXPECT_EQ(committed(), before_);
}

TEST_F(HandleTest, bytes_that_are_got_without_opening_the_handle_let_it_go) {
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

TEST_F(HandleTest, receiver_that_dies_after_its_get_takes_the_queue_along) {
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

TEST_F(HandleTest, receiver_that_dies_while_it_reads_takes_the_queue_along) {
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

TEST_F(HandleTest, queues_in_messages_of_queues_in_messages_live_and_go_together) {
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

TEST_F(HandleTest, queues_in_one_message_go_together) {
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

TEST_F(HandleTest, long_chain_goes_with_its_first_queue) {
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

TEST_F(HandleTest, queue_that_carries_a_handle_to_itself_goes_with_its_last_holder) {
  {
    auto carrier = make<Channel>();
    carrier.put(carrier.channel());
  }
  node_.sweep();
  EXPECT_EQ(committed(), before_);
}

TEST_F(HandleTest, place_of_a_queue_that_has_gone_is_used_again) {
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

TEST_F(HandleTest, default_constructed_handle_cannot_be_put) {
  auto carrier = make<Queue<int>>();
  EXPECT_THROW(carrier.put(Queue<int>()), InvalidArgument);
  EXPECT_TRUE(carrier.empty_approx());
}

TEST_F(HandleTest, handles_that_travel_between_threads_are_always_good) {
  constexpr int count = 1'000;
  auto carrier = make<Queue<int>>({.capacity = 8});
  {
    std::jthread sweeper([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) node_.sweep();
    });
    std::jthread receiver([&] {
      for (int i = 0; i < count; ++i) EXPECT_EQ(carrier.get().get(), i);
    });
    std::jthread sender([&, theirs = open_as(other_, carrier)]() mutable {
      for (int i = 0; i < count; ++i) {
        auto inner = make_queue<int>(other_, {.capacity = 2});
        inner.put(i);
        theirs.put(inner);
      }
    });
    sender.join();
    receiver.join();
  }
  node_.sweep();
  carrier = {};
  EXPECT_EQ(committed(), before_);
}

}  // namespace
}  // namespace wyvern::test
