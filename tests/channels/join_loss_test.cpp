#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "support/two_members.hpp"

namespace wyvern::test {
namespace {

using namespace std::chrono_literals;

class JoinLoss : public TwoMembers {
 protected:
  static auto join_in_background(auto queue) {
    return std::async(std::launch::async, [queue]() mutable { return queue.join(); });
  }
};

TEST_F(JoinLoss, what_a_dead_process_had_got_is_lost_and_said_to_be) {
  auto victim = node_.join();
  auto queue = make<int>();
  for (int i = 0; i < 5; ++i) queue.put(i);
  auto& theirs = abandon(open_as(victim, queue));
  for (int i = 0; i < 4; ++i) theirs.get();
  theirs.task_done();
  auto joined = join_in_background(open_as(other_, queue));
  wait_for_sleepers(queue, InterestKind::tasks_done);
  queue.get();
  queue.task_done();
  EXPECT_EQ(queue.try_join_for(0s), std::nullopt);
  node_.bury(*victim);
  EXPECT_EQ(joined.get(), 3U);
  EXPECT_EQ(queue.join(), 3U);
}

TEST_F(JoinLoss, message_that_the_dead_was_reading_is_lost) {
  auto victim = node_.join();
  auto queue = make<int>();
  queue.put(1);
  abandon(abandon(open_as(victim, queue)).take());
  node_.bury(*victim);
  EXPECT_EQ(queue.join(), 1U);
}

TEST_F(JoinLoss, message_that_the_dead_had_leased_is_not_lost) {
  auto victim = node_.join();
  auto queue = make<int>();
  queue.put(1);
  abandon(abandon(open_as(victim, queue)).lease());
  node_.bury(*victim);
  EXPECT_EQ(queue.try_join_for(0s), std::nullopt);
  queue.lease().done();
  EXPECT_EQ(queue.join(), 0U);
}

TEST_F(JoinLoss, letting_the_queue_go_without_reporting_loses_what_was_got) {
  auto queue = make<int>();
  queue.put(1);
  queue.put(2);
  std::optional theirs = open_as(other_, queue);
  theirs->get();
  theirs->get();
  theirs->task_done();
  auto joined = join_in_background(queue);
  wait_for_sleepers(queue, InterestKind::tasks_done);
  theirs.reset();
  EXPECT_EQ(joined.get(), 1U);
  theirs.emplace(open_as(other_, queue));
  EXPECT_THROW(theirs->task_done(), InvalidArgument) << "it is too late";
}

TEST_F(JoinLoss, counts_of_losses_add_up) {
  auto queue = make<int>();
  for (std::uint64_t i = 1; i <= 5; ++i) {
    queue.put(1);
    open_as(other_, queue).get();
    EXPECT_EQ(queue.join(), i);
  }
}

TEST_F(JoinLoss, losses_after_many_messages_were_read_at_once_are_counted_once) {
  constexpr int count = 60;
  auto victim = node_.join();
  auto queue = make<int>({.capacity = count});
  auto& theirs = abandon(open_as(victim, queue));
  for (int i = 0; i < count; ++i) queue.put(i);
  {
    std::vector<Message<int>> messages;
    for (int i = 0; i < count; ++i) messages.push_back(theirs.take());
  }
  for (int i = 0; i < 10; ++i) theirs.task_done();
  node_.bury(*victim);
  EXPECT_EQ(queue.join(), 50U);
  EXPECT_EQ(audit_of(queue), "");
}

}  // namespace
}  // namespace wyvern::test
