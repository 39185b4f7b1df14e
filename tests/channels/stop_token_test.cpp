#include <atomic>
#include <functional>
#include <future>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/core/spin.hpp>

#include "support/two_members.hpp"

namespace wyvern::test {
namespace {

/// A call that cannot go on: on a queue that is empty, or full of one message that nobody has reported done.
struct BlockedCall {
  std::string name;
  bool queue_is_full;
  InterestKind waits_for;
  std::function<bool(Queue<int>&, const std::stop_token&)> call;  ///< true: it has done something
};

const std::vector<BlockedCall> blocked_calls{
    {"put", true, InterestKind::room, [](auto& queue, auto& stop) { return queue.put(1, stop); }},
    {"put_of_a_loan", true, InterestKind::room,
     [](auto& queue, auto& stop) {
       Loan<int> loan = queue.loan();
       *loan = 5;
       const bool done = queue.put(std::move(loan), stop);
       if (!done) {
         EXPECT_EQ(*loan, 5) << "it stays with its owner";
       }
       return done;
     }},
    {"get", false, InterestKind::message,
     [](auto& queue, auto& stop) { return queue.get(stop).has_value(); }},
    {"take", false, InterestKind::message,
     [](auto& queue, auto& stop) { return queue.take(stop).has_value(); }},
    {"lease", false, InterestKind::lease,
     [](auto& queue, auto& stop) { return queue.lease(stop).has_value(); }},
    {"put_many", true, InterestKind::room,
     [](auto& queue, auto& stop) { return queue.put_many(std::vector<int>{1}, stop) != 0; }},
    {"get_many", false, InterestKind::message,
     [](auto& queue, auto& stop) { return !queue.get_many(2, stop).empty(); }},
    {"join", true, InterestKind::tasks_done,
     [](auto& queue, auto& stop) { return queue.join(stop).has_value(); }},
};

class StopToken : public TwoMembers, public ::testing::WithParamInterface<BlockedCall> {
 protected:
  StopToken() {
    if (GetParam().queue_is_full) queue_.put(0);
  }
  Queue<int> queue_ = make<int>({.capacity = 1});
};

TEST_P(StopToken, request_before_the_call_ends_it_at_once) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(GetParam().call(queue_, stop.get_token()));
  EXPECT_EQ(queue_.size_approx(), GetParam().queue_is_full ? 1U : 0U);
}

TEST_P(StopToken, request_wakes_a_call_that_sleeps) {
  for (int i = 0; i < 10; ++i) {
    std::stop_source stop;
    auto ended =
        std::async(std::launch::async, [mine = open_as(other_, queue_), token = stop.get_token()]() mutable {
          return GetParam().call(mine, token);
        });
    wait_for_sleepers(queue_, GetParam().waits_for);
    stop.request_stop();
    EXPECT_FALSE(ended.get());
  }
  EXPECT_EQ(audit_of(queue_), "");
}

TEST_P(StopToken, request_at_any_moment_ends_the_call) {
  for (int i = 0; i < 300; ++i) {
    std::stop_source stop;
    std::atomic<bool> begun = false;
    auto ended = std::async(std::launch::async,
                            [&begun, mine = open_as(other_, queue_), token = stop.get_token()]() mutable {
                              begun = true;
                              return GetParam().call(mine, token);
                            });
    wait_for([&] { return begun.load(); });
    for (int turn = 0; turn < i * 100; ++turn) spin_pause();
    stop.request_stop();
    EXPECT_FALSE(ended.get());
  }
}

TEST_P(StopToken, request_ends_all_that_wait_with_that_token_and_nobody_else) {
  std::stop_source stop;
  std::stop_source another;
  std::vector<std::future<bool>> stopped;
  for (int i = 0; i < 3; ++i) {
    stopped.push_back(
        std::async(std::launch::async, [mine = open_as(other_, queue_), token = stop.get_token()]() mutable {
          return GetParam().call(mine, token);
        }));
  }
  auto going_on =
      std::async(std::launch::async, [mine = open_as(other_, queue_), token = another.get_token()]() mutable {
        return GetParam().call(mine, token);
      });
  wait_for_sleepers(queue_, GetParam().waits_for, 4);
  stop.request_stop();
  for (auto& call : stopped) EXPECT_FALSE(call.get());
  wait_for_sleepers(queue_, GetParam().waits_for, 1);
  another.request_stop();
  EXPECT_FALSE(going_on.get());
}

TEST_P(StopToken, token_that_is_never_asked_changes_nothing) {
  std::stop_source stop;
  auto call =
      std::async(std::launch::async, [mine = open_as(other_, queue_), token = stop.get_token()]() mutable {
        return GetParam().call(mine, token);
      });
  wait_for_sleepers(queue_, GetParam().waits_for);
  if (GetParam().queue_is_full) {
    queue_.get();
    queue_.task_done();
  } else {
    queue_.put(1);
  }
  EXPECT_TRUE(call.get());
}

TEST_P(StopToken, token_without_a_source_can_be_given) {
  if (GetParam().queue_is_full) {
    queue_.get();
    queue_.task_done();
  } else {
    queue_.put(1);
  }
  EXPECT_TRUE(GetParam().call(queue_, std::stop_token()));
}

INSTANTIATE_TEST_SUITE_P(calls, StopToken, ::testing::ValuesIn(blocked_calls),
                         [](const auto& instance) { return instance.param.name; });

class StopRace : public TwoMembers {};

TEST_F(StopRace, what_can_be_done_is_done_although_a_stop_was_requested) {
  auto queue = make<int>({.capacity = 1});
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(queue.put(1, stop.get_token()));
  EXPECT_EQ(queue.get(stop.get_token()), 1);
}

TEST_F(StopRace, closed_queue_is_said_to_be_closed_although_a_stop_was_requested) {
  auto queue = make<int>();
  queue.close();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(queue.put(1, stop.get_token()), QueueClosed);
  EXPECT_THROW(queue.get(stop.get_token()), QueueClosed);
}

TEST_F(StopRace, message_that_comes_with_the_request_is_got_by_the_stopped_or_by_another) {
  for (int i = 0; i < 300; ++i) {
    auto queue = make<int>();
    std::stop_source stop;
    std::atomic<bool> go = false;
    auto stopped = std::async(
        std::launch::async,
        [mine = open_as(other_, queue), token = stop.get_token()]() mutable { return mine.get(token); });
    auto patient = std::async(std::launch::async, [mine = open_as(other_, queue)]() mutable {
      try {
        return std::optional(mine.get());
      } catch (const QueueClosed&) {
        return std::optional<int>();
      }
    });
    wait_for_sleepers(queue, InterestKind::message, 2);
    std::jthread stopping([&] {
      wait_for([&] { return go.load(); });
      stop.request_stop();
    });
    go = true;
    queue.put(1);
    stopping.join();
    if (stopped.get()) {
      queue.close();
      EXPECT_EQ(patient.get(), std::nullopt);
    } else {
      EXPECT_EQ(patient.get(), 1);
    }
  }
}

TEST_F(StopRace, room_that_comes_with_the_request_is_used_by_the_stopped_or_by_another) {
  for (int i = 0; i < 300; ++i) {
    auto queue = make<int>({.capacity = 1});
    queue.put(0);
    std::stop_source stop;
    auto stopped = std::async(
        std::launch::async,
        [mine = open_as(other_, queue), token = stop.get_token()]() mutable { return mine.put(1, token); });
    auto patient = std::async(std::launch::async, [mine = open_as(other_, queue)]() mutable { mine.put(2); });
    wait_for_sleepers(queue, InterestKind::room, 2);
    std::jthread stopping([&] { stop.request_stop(); });
    EXPECT_EQ(queue.get(), 0);
    stopping.join();
    // Whoever uses it, the other one's turn comes with the next.
    if (stopped.get()) {
      EXPECT_EQ(queue.get() + queue.get(), 3);
    } else {
      EXPECT_EQ(queue.get(), 2);
    }
    patient.get();
  }
}

}  // namespace
}  // namespace wyvern::test
