#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "support/local_node.hpp"

namespace wyvern::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using std::chrono::system_clock;

class QueueTest : public ::testing::Test {
 protected:
  template <class T>
  Queue<T> make(const QueueOptions& options = {}) {
    return make_queue<T>(member_, options);
  }
  std::string audit_of(const auto& queue) const {
    return audit(node_.segment(), queue.channel().reference());
  }

  LocalNode node_;
  std::shared_ptr<Member> member_ = node_.join();
  std::shared_ptr<Member> other_ = node_.join();
};

TEST_F(QueueTest, value_that_was_put_is_got_by_another_member) {
  auto queue = make<std::string>();
  auto other = open_as(other_, queue);

  queue.put("hello");
  queue.put("");

  EXPECT_EQ(other.get(), "hello");
  EXPECT_EQ(other.get(), "");
}

TEST_F(QueueTest, trivially_copyable_values_go_through) {
  struct Point {
    double x, y;
  };
  auto queue = make<Point>();
  queue.put({1.5, 2.5});
  EXPECT_EQ(queue.get().y, 2.5);
}

TEST_F(QueueTest, values_come_in_the_order_in_which_they_were_put) {
  auto queue = make<int>({.capacity = 8});
  for (int lap = 0; lap < 20; ++lap) {
    for (int i = 0; i < 5; ++i) queue.put(lap * 5 + i);
    for (int i = 0; i < 5; ++i) ASSERT_EQ(queue.get(), lap * 5 + i);
  }
}

TEST_F(QueueTest, try_get_on_empty_queue_gives_nothing) {
  auto queue = make<int>();
  EXPECT_EQ(queue.try_get(), std::nullopt);
  queue.put(1);
  EXPECT_EQ(queue.try_get(), 1);
  EXPECT_EQ(queue.try_get(), std::nullopt);
}

TEST_F(QueueTest, try_put_on_full_queue_is_false_and_leaves_the_value) {
  auto queue = make<std::string>({.capacity = 2});
  const std::string value = "value";
  EXPECT_TRUE(queue.try_put(value));
  EXPECT_TRUE(queue.try_put(value));

  EXPECT_FALSE(queue.try_put(value));
  EXPECT_FALSE(queue.try_put_for(1ms, value));
  EXPECT_FALSE(queue.try_put_until(steady_clock::now() + 1ms, value));

  EXPECT_EQ(value, "value");
  EXPECT_EQ(queue.size_approx(), 2U);
  queue.get();
  EXPECT_TRUE(queue.try_put(value));
}

TEST_F(QueueTest, timeouts_are_not_shorter_than_asked_for) {
  auto queue = make<int>({.capacity = 1});
  const auto takes_at_least = [](auto duration, auto call) {
    const auto start = steady_clock::now();
    EXPECT_FALSE(call());
    EXPECT_GE(steady_clock::now() - start, duration);
  };
  takes_at_least(5ms, [&] { return queue.try_get_for(5ms).has_value(); });
  takes_at_least(5ms, [&] { return queue.try_get_until(system_clock::now() + 6ms).has_value(); });
  queue.put(1);
  takes_at_least(5ms, [&] { return queue.try_put_for(5ms, 2); });
  takes_at_least(5ms, [&] { return queue.try_put_until(steady_clock::now() + 5ms, 2); });
}

TEST_F(QueueTest, timeout_in_the_past_does_what_can_be_done_at_once) {
  auto queue = make<int>({.capacity = 1});
  EXPECT_TRUE(queue.try_put_for(-1s, 1));
  EXPECT_FALSE(queue.try_put_until(steady_clock::now() - 1s, 2));
  EXPECT_EQ(queue.try_get_until(system_clock::now() - 1s), 1);
  EXPECT_EQ(queue.try_get_for(0s), std::nullopt);
}

TEST_F(QueueTest, timeout_that_no_clock_can_express_waits_for_what_comes) {
  auto queue = make<int>({.capacity = 1});
  std::jthread consumer([&] { EXPECT_EQ(queue.try_get_for(std::chrono::hours::max()), 1); });
  wait_for([&] {
    return sleepers(node_.segment(), InterestKind::message, queue.channel().reference().index) == 1;
  });
  EXPECT_TRUE(queue.try_put_until(steady_clock::time_point::max(), 1));
}

TEST_F(QueueTest, blocked_get_takes_what_is_put) {
  auto queue = make<int>();
  std::jthread consumer([&] { EXPECT_EQ(open_as(other_, queue).get(), 5); });
  wait_for([&] {
    return sleepers(node_.segment(), InterestKind::message, queue.channel().reference().index) == 1;
  });

  queue.put(5);
}

TEST_F(QueueTest, blocked_put_goes_on_when_there_is_room) {
  auto queue = make<int>({.capacity = 1});
  queue.put(1);
  std::jthread producer([&] { open_as(other_, queue).put(2); });
  wait_for(
      [&] { return sleepers(node_.segment(), InterestKind::room, queue.channel().reference().index) == 1; });

  EXPECT_EQ(queue.get(), 1);
  EXPECT_EQ(queue.get(), 2);
}

TEST_F(QueueTest, each_of_many_blocked_consumers_gets_one) {
  auto queue = make<int>();
  std::atomic<int> sum = 0;
  std::vector<std::jthread> consumers;
  for (int i = 0; i < 6; ++i) {
    consumers.emplace_back([&] { sum += queue.get(); });
  }
  wait_for([&] {
    return sleepers(node_.segment(), InterestKind::message, queue.channel().reference().index) == 6;
  });

  for (int i = 0; i < 6; ++i) queue.put(1 << i);

  consumers.clear();
  EXPECT_EQ(sum, 63);
}

TEST_F(QueueTest, sizes_are_exact_when_nobody_is_at_work) {
  for (const std::uint64_t capacity : {1U, 2U, 3U, 5U, 8U, 128U}) {
    auto queue = make<std::uint64_t>({.capacity = capacity});
    EXPECT_EQ(queue.capacity(), capacity);
    for (std::uint64_t lap = 0; lap < 3; ++lap) {
      EXPECT_TRUE(queue.empty_approx());
      for (std::uint64_t i = 0; i < capacity; ++i) {
        EXPECT_EQ(queue.size_approx(), i);
        EXPECT_FALSE(queue.full_approx());
        queue.put(i);
        EXPECT_FALSE(queue.empty_approx());
      }
      EXPECT_TRUE(queue.full_approx());
      for (std::uint64_t i = 0; i < capacity; ++i) EXPECT_EQ(queue.get(), i);
    }
    EXPECT_EQ(audit_of(queue), "");
  }
}

TEST_F(QueueTest, default_constructed_handle_refers_to_nothing) {
  Queue<int> queue;
  EXPECT_FALSE(queue);
  EXPECT_THROW(queue.put(1), InvalidArgument);
  EXPECT_THROW(queue.try_get(), InvalidArgument);
  EXPECT_THROW(queue.close(), InvalidArgument);
  EXPECT_THROW(queue.size_approx(), InvalidArgument);
  EXPECT_THROW(queue.id(), InvalidArgument);
  EXPECT_EQ(queue, Queue<int>());
}

TEST_F(QueueTest, options_beyond_their_limits_are_invalid_arguments) {
  EXPECT_THROW(make<int>({.capacity = 0}), InvalidArgument);
  EXPECT_THROW(make<int>({.capacity = max_capacity + 1}), InvalidArgument);
  EXPECT_THROW(make<int>({.inline_size = max_inline_size + 1}), InvalidArgument);
  EXPECT_THROW(make<int>({.name = std::string(channel_name_bytes, 'n')}), InvalidArgument);
  EXPECT_THROW(make<int>({.name = std::string("a\0b", 3)}), InvalidArgument);
}

TEST_F(QueueTest, options_at_their_limits_are_good) {
  EXPECT_NO_THROW(make<int>({.capacity = max_capacity, .inline_size = 0}));
  EXPECT_NO_THROW(make<int>({.capacity = 1, .inline_size = max_inline_size}));
  EXPECT_NO_THROW(make<int>({.name = std::string(channel_name_bytes - 1, 'n')}));
}

TEST_F(QueueTest, largest_capacity_can_be_filled) {
  auto queue = make<std::uint64_t>({.capacity = max_capacity, .inline_size = 8});
  for (std::uint64_t i = 0; i < max_capacity; ++i) ASSERT_TRUE(queue.try_put(i));
  EXPECT_FALSE(queue.try_put(0));
  for (std::uint64_t i = 0; i < max_capacity; ++i) ASSERT_EQ(queue.get(), i);
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(QueueTest, another_type_is_a_type_mismatch_that_names_both) {
  auto queue = make<int>({.name = "numbers"});
  try {
    const Queue<std::string> wrong(other_, queue.channel().reference());
    FAIL();
  } catch (const TypeMismatch& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("int"), std::string::npos) << text;
    EXPECT_NE(text.find("string"), std::string::npos) << text;
    EXPECT_NE(text.find("numbers"), std::string::npos) << text;
  }
  queue.put(1);
  EXPECT_EQ(open_as(other_, queue).get(), 1) << "nothing else is lost";
}

TEST_F(QueueTest, threads_beyond_the_first_ports_get_more) {
  constexpr int threads = 40;
  auto queue = make<int>({.capacity = 4});
  auto reader = open_as(other_, queue);
  std::vector<std::optional<HeldMessage>> read;  // each one pins a port
  for (int i = 0; i < threads; ++i) {
    queue.put(i);
    read.push_back(reader.channel().local().take(IntentKind::get, WaitLimit::now()));
    ASSERT_TRUE(read.back());
  }
  EXPECT_GT(queue.channel().local().view().header().port_count, first_ports);
  read.clear();
  EXPECT_EQ(audit_of(queue), "");
  queue.put(7);
  EXPECT_EQ(reader.get(), 7);
}

}  // namespace
}  // namespace wyvern::test
