#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "handle_scene.hpp"

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

/// How handles travel.
class HandleTest : public HandleScene {};

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
