#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "support/two_members.hpp"

namespace wyvern::test {
namespace {

using namespace std::chrono_literals;

class JoinTest : public TwoMembers {
 protected:
  static auto join_in_background(auto queue) {
    return std::async(std::launch::async, [queue]() mutable { return queue.join(); });
  }
};

TEST_F(JoinTest, join_with_nothing_put_is_over_at_once) {
  auto queue = make<int>();
  EXPECT_EQ(queue.join(), 0U);
  EXPECT_EQ(queue.try_join_for(0s), 0U);
}

TEST_F(JoinTest, join_waits_for_what_was_not_got) {
  auto queue = make<int>();
  queue.put(1);
  EXPECT_EQ(queue.try_join_for(0s), std::nullopt);
  EXPECT_EQ(queue.try_join_for(1ms), std::nullopt);
  auto joined = join_in_background(open_as(other_, queue));
  wait_for_sleepers(queue, InterestKind::tasks_done);
  queue.get();
  EXPECT_EQ(queue.try_join_for(1ms), std::nullopt) << "got is not done";
  queue.task_done();
  EXPECT_EQ(joined.get(), 0U);
}

TEST_F(JoinTest, join_waits_for_each_of_many) {
  constexpr int count = 100;
  auto queue = make<int>();
  for (int i = 0; i < count; ++i) queue.put(i);
  auto joined = join_in_background(open_as(other_, queue));
  wait_for_sleepers(queue, InterestKind::tasks_done);
  for (int i = 0; i < count; ++i) {
    EXPECT_EQ(queue.try_join_for(0s), std::nullopt);
    queue.get();
    queue.task_done();
  }
  EXPECT_EQ(joined.get(), 0U);
}

TEST_F(JoinTest, several_that_join_are_all_told) {
  auto queue = make<int>();
  queue.put(1);
  queue.get();
  std::vector<std::future<std::uint64_t>> joined;
  for (int i = 0; i < 4; ++i) joined.push_back(join_in_background(open_as(i % 2 ? member_ : other_, queue)));
  wait_for_sleepers(queue, InterestKind::tasks_done, 4);
  queue.task_done();
  for (auto& join : joined) EXPECT_EQ(join.get(), 0U);
}

TEST_F(JoinTest, join_can_be_over_again_and_again) {
  auto queue = make<int>({.capacity = 3});
  for (int i = 0; i < 20; ++i) {
    queue.put(i);
    EXPECT_EQ(queue.try_join_for(0s), std::nullopt);
    queue.get();
    queue.task_done();
    EXPECT_EQ(queue.join(), 0U);
  }
}

TEST_F(JoinTest, join_waits_for_a_message_that_is_being_read) {
  auto queue = make<int>();
  queue.put(1);
  std::optional message = queue.take();
  EXPECT_EQ(queue.try_join_for(0s), std::nullopt);
  message.reset();
  EXPECT_EQ(queue.try_join_for(0s), std::nullopt) << "read is not done";
  queue.task_done();
  EXPECT_EQ(queue.join(), 0U);
}

TEST_F(JoinTest, message_may_be_reported_while_it_is_still_held) {
  auto queue = make<int>();
  queue.put(1);
  const auto message = queue.take();
  queue.task_done();
  EXPECT_EQ(queue.join(), 0U);
  EXPECT_EQ(*message, 1);
}

TEST_F(JoinTest, closed_queue_can_be_joined) {
  auto queue = make<int>();
  queue.put(1);
  queue.close();
  EXPECT_EQ(queue.try_join_for(0s), std::nullopt);
  EXPECT_EQ(queue.get(), 1);
  queue.task_done();
  EXPECT_EQ(queue.join(), 0U);
  EXPECT_THROW(queue.get(), QueueClosed);
  EXPECT_EQ(queue.join(), 0U);
}

TEST_F(JoinTest, task_done_once_too_often_is_an_invalid_argument) {
  auto queue = make<int>();
  EXPECT_THROW(queue.task_done(), InvalidArgument) << "nothing was got";
  queue.put(1);
  EXPECT_THROW(queue.task_done(), InvalidArgument) << "put is not got";
  queue.get();
  queue.task_done();
  EXPECT_THROW(queue.task_done(), InvalidArgument);
  EXPECT_EQ(queue.join(), 0U);
}

TEST_F(JoinTest, only_the_process_that_got_can_report) {
  auto queue = make<int>();
  auto theirs = open_as(other_, queue);
  queue.put(1);
  queue.get();
  EXPECT_THROW(theirs.task_done(), InvalidArgument);
  queue.task_done();
  EXPECT_EQ(theirs.join(), 0U);
}

TEST_F(JoinTest, another_thread_of_the_process_can_report) {
  auto queue = make<int>();
  for (int i = 0; i < 10; ++i) queue.put(i);
  std::jthread([&] {
    for (int i = 0; i < 10; ++i) queue.get();
  }).join();
  std::jthread([&] {
    for (int i = 0; i < 5; ++i) queue.task_done();
  }).join();
  for (int i = 0; i < 5; ++i) queue.task_done();
  EXPECT_THROW(queue.task_done(), InvalidArgument);
  EXPECT_EQ(queue.join(), 0U);
}

TEST_F(JoinTest, batches_are_reported_message_by_message) {
  auto queue = make<int>();
  queue.put_many(std::vector{1, 2, 3});
  EXPECT_EQ(queue.get_many(9).size(), 3U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(queue.try_join_for(0s), std::nullopt);
    queue.task_done();
  }
  EXPECT_EQ(queue.join(), 0U);
}

TEST_F(JoinTest, lease_reports_itself_by_done) {
  auto queue = make<int>();
  queue.put(1);
  auto joined = join_in_background(open_as(other_, queue));
  wait_for_sleepers(queue, InterestKind::tasks_done);
  auto lease = queue.lease();
  EXPECT_THROW(queue.task_done(), InvalidArgument) << "a lease is not a get";
  EXPECT_EQ(queue.try_join_for(0s), std::nullopt);
  lease.done();
  EXPECT_EQ(joined.get(), 0U);
  EXPECT_THROW(queue.task_done(), InvalidArgument);
}

TEST_F(JoinTest, what_was_given_back_is_waited_for) {
  auto queue = make<int>();
  queue.put(1);
  { const auto lease = queue.lease(); }
  EXPECT_EQ(queue.try_join_for(0s), std::nullopt);
  { const auto lease = open_as(other_, queue).lease(); }
  EXPECT_EQ(queue.try_join_for(0s), std::nullopt);
  queue.get();
  EXPECT_EQ(queue.try_join_for(0s), std::nullopt);
  queue.task_done();
  EXPECT_EQ(queue.join(), 0U);
}

TEST_F(JoinTest, dead_letters_are_dealt_with) {
  auto dead = make<int>();
  auto queue = make<int>({.max_deliveries = 1, .dead_letters = dead.channel()});
  queue.put(1);
  auto joined = join_in_background(open_as(other_, queue));
  wait_for_sleepers(queue, InterestKind::tasks_done);
  { const auto lease = queue.lease(); }
  EXPECT_EQ(joined.get(), 0U);
  EXPECT_EQ(dead.try_join_for(0s), std::nullopt) << "there they are to be done again";
  dead.get();
  dead.task_done();
  EXPECT_EQ(dead.join(), 0U);
}

TEST_F(JoinTest, reports_go_on_after_many_messages_were_read_at_once) {
  constexpr int count = 60;  // more than a process keeps ports for
  auto queue = make<int>({.capacity = count});
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < count; ++i) queue.put(i);
    {
      std::vector<Message<int>> messages;
      for (int i = 0; i < count; ++i) messages.push_back(queue.take());
    }
    EXPECT_EQ(queue.try_join_for(0s), std::nullopt);
    for (int i = 0; i < count; ++i) queue.task_done();
    EXPECT_THROW(queue.task_done(), InvalidArgument);
    EXPECT_EQ(queue.join(), 0U);
  }
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(JoinTest, places_that_others_use_after_us_bring_no_reports_of_ours_along) {
  constexpr int count = 60;
  auto queue = make<int>({.capacity = count});
  auto theirs = open_as(other_, queue);
  for (int i = 0; i < count; ++i) queue.put(i);
  {
    std::vector<Message<int>> messages;
    for (int i = 0; i < count; ++i) messages.push_back(queue.take());
  }
  const std::uint32_t ports = port_count(queue);
  for (int i = 0; i < count; ++i) queue.put(i);
  {
    std::vector<Message<int>> messages;
    for (int i = 0; i < count; ++i) messages.push_back(theirs.take());
  }
  EXPECT_LE(port_count(queue), ports + ports_per_chunk) << "they use what we let go";
  for (int i = 0; i < count; ++i) theirs.task_done();
  EXPECT_THROW(theirs.task_done(), InvalidArgument);
  EXPECT_EQ(queue.try_join_for(0s), std::nullopt);
  for (int i = 0; i < count; ++i) queue.task_done();
  EXPECT_THROW(queue.task_done(), InvalidArgument);
  EXPECT_EQ(queue.join(), 0U);
}

TEST_F(JoinTest, messages_got_and_leased_side_by_side_are_told_apart) {
  auto queue = make<int>();
  for (int i = 0; i < 300; ++i) {
    queue.put(0);
    queue.put(1);
    queue.get();
    auto lease = queue.lease();
    if (i % 3 == 0) queue.task_done();
    if (i % 2 == 0) {
      lease.done();
    } else {
      { const auto dropped = std::move(lease); }
      queue.get();
    }
  }
  const int reported = 100;
  const int got = 300 + 150;
  for (int i = reported; i < got; ++i) {
    ASSERT_EQ(queue.try_join_for(0s), std::nullopt);
    queue.task_done();
  }
  EXPECT_THROW(queue.task_done(), InvalidArgument);
  EXPECT_EQ(queue.join(), 0U);
}

TEST_F(JoinTest, join_ends_when_a_stop_is_requested) {
  auto queue = make<int>();
  queue.put(1);
  std::stop_source stop;
  auto joined = std::async(
      std::launch::async,
      [mine = open_as(other_, queue), token = stop.get_token()]() mutable { return mine.join(token); });
  wait_for_sleepers(queue, InterestKind::tasks_done);
  stop.request_stop();
  EXPECT_EQ(joined.get(), std::nullopt);
  EXPECT_EQ(queue.join(stop.get_token()), std::nullopt);
  queue.get();
  queue.task_done();
  EXPECT_EQ(queue.join(stop.get_token()), 0U) << "over is over, whoever asks to stop";
}

TEST_F(JoinTest, many_takers_and_threads_report_every_message) {
  constexpr int per_thread = 2'000;
  auto queue = make<int>({.capacity = 64});
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([mine = open_as(i % 2 ? member_ : other_, queue), i]() mutable {
        for (int done = 0; done < per_thread; ++done) {
          if (i < 2) {
            mine.get();
            mine.task_done();
          } else {
            mine.lease().done();
          }
        }
      });
    }
    for (int i = 0; i < 4 * per_thread; ++i) queue.put(i);
    EXPECT_EQ(queue.join(), 0U);
    EXPECT_TRUE(queue.empty_approx());
  }
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(JoinTest, threads_that_get_and_threads_that_report_need_not_be_the_same) {
  constexpr int count = 5'000;
  auto queue = make<int>({.capacity = 64});
  auto handed_on = make<int>({.capacity = 64});
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] {
        while (true) {
          try {
            handed_on.put(queue.get());
          } catch (const QueueClosed&) {
            return;
          }
        }
      });
      threads.emplace_back([&] {
        while (true) {
          try {
            handed_on.get();
          } catch (const QueueClosed&) {
            return;
          }
          queue.task_done();
        }
      });
    }
    for (int i = 0; i < count; ++i) queue.put(i);
    EXPECT_EQ(queue.join(), 0U);
    queue.close();
    handed_on.close();
  }
  EXPECT_THROW(queue.task_done(), InvalidArgument);
}

}  // namespace
}  // namespace wyvern::test
