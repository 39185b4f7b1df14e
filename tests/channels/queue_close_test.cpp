#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "support/local_node.hpp"

namespace wyvern::test {
namespace {

using namespace std::chrono_literals;

class QueueClose : public ::testing::Test {
 protected:
  std::uint32_t asleep(InterestKind kind, const auto& queue) const {
    return sleepers(node_.segment(), kind, queue.channel().reference().index);
  }

  LocalNode node_;
  std::shared_ptr<Member> member_ = node_.join();
};

TEST_F(QueueClose, put_on_closed_queue_throws) {
  auto queue = make_queue<int>(member_);
  queue.close();
  EXPECT_THROW(queue.put(1), QueueClosed);
  EXPECT_THROW(queue.try_put(1), QueueClosed);
  EXPECT_THROW(queue.try_put_for(1s, 1), QueueClosed);
}

TEST_F(QueueClose, get_drains_what_was_accepted_and_then_throws) {
  auto queue = make_queue<int>(member_, {.capacity = 3});
  for (int i = 0; i < 3; ++i) queue.put(i);
  queue.close();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(queue.get(), i);
  EXPECT_THROW(queue.get(), QueueClosed);
  EXPECT_THROW(queue.try_get(), QueueClosed);
  EXPECT_THROW(queue.try_get_for(1s), QueueClosed);
}

TEST_F(QueueClose, closing_again_does_nothing) {
  auto queue = make_queue<int>(member_);
  queue.put(1);
  queue.close();
  queue.close();
  EXPECT_EQ(queue.get(), 1);
  EXPECT_THROW(queue.get(), QueueClosed);
  queue.close();
  EXPECT_THROW(queue.get(), QueueClosed);
}

TEST_F(QueueClose, full_queue_that_nobody_drains_turns_producers_back) {
  auto queue = make_queue<int>(member_, {.capacity = 2});
  queue.put(1);
  queue.put(2);
  std::vector<std::jthread> producers;
  for (int i = 0; i < 3; ++i) producers.emplace_back([&] { EXPECT_THROW(queue.put(3), QueueClosed); });
  wait_for([&] { return asleep(InterestKind::room, queue) == 3; });

  queue.close();

  producers.clear();
  EXPECT_EQ(queue.size_approx(), 2U);
}

TEST_F(QueueClose, producers_that_wait_for_payload_room_are_turned_back) {
  auto queue = make_queue<std::string>(member_, {.capacity = 8, .max_bytes = 10'000});
  const std::string large(9'000, 'x');
  queue.put(large);
  std::jthread producer([&] { EXPECT_THROW(queue.put(large), QueueClosed); });
  wait_for([&] { return asleep(InterestKind::payload_room, queue) == 1; });

  queue.close();
}

TEST_F(QueueClose, blocked_consumers_wake) {
  auto queue = make_queue<int>(member_);
  std::vector<std::jthread> consumers;
  for (int i = 0; i < 4; ++i) consumers.emplace_back([&] { EXPECT_THROW(queue.get(), QueueClosed); });
  wait_for([&] { return asleep(InterestKind::message, queue) == 4; });

  queue.close();
}

TEST_F(QueueClose, error_names_the_queue) {
  auto queue = make_queue<int>(member_, {.name = "orders"});
  queue.close();
  try {
    queue.get();
    FAIL();
  } catch (const QueueClosed& error) {
    EXPECT_NE(std::string(error.what()).find("'orders'"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find(to_string(queue.id())), std::string::npos) << error.what();
  }
}

TEST_F(QueueClose, range_for_ends_when_closed_and_drained) {
  auto queue = make_queue<int>(member_);
  for (int i = 0; i < 5; ++i) queue.put(i);
  queue.close();
  int expected = 0;
  for (const int item : queue) EXPECT_EQ(item, expected++);
  EXPECT_EQ(expected, 5);
  for ([[maybe_unused]] const int item : queue) FAIL() << "nothing is left";
}

TEST_F(QueueClose, every_accepted_message_is_before_the_end) {
  for (int round = 0; round < 200; ++round) {
    auto queue = make_queue<int>(member_, {.capacity = static_cast<std::uint64_t>(1 + round % 4)});
    std::atomic<int> accepted = 0;
    std::atomic<int> received = 0;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 2; ++i) {
        threads.emplace_back([&] {
          try {
            for (int value = 0;; ++value) {
              queue.put(value);
              ++accepted;
            }
          } catch (const QueueClosed&) {
          }
        });
        threads.emplace_back([&] {
          for ([[maybe_unused]] const int item : queue) ++received;
        });
      }
      wait_for([&] { return received > round % 20; });
      queue.close();
    }
    ASSERT_EQ(accepted, received);
    ASSERT_EQ(audit(node_.segment(), queue.channel().reference()), "");
  }
}

}  // namespace
}  // namespace wyvern::test
