#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "support/two_members.hpp"

namespace wyvern::test {
namespace {

using namespace std::chrono_literals;

class LeaseClose : public TwoMembers {};

TEST_F(LeaseClose, lease_on_a_closed_queue_drains_it_and_then_says_so) {
  auto queue = make<int>();
  queue.put(1);
  queue.put(2);
  queue.close();
  queue.lease().done();
  queue.lease().done();
  EXPECT_THROW(queue.lease(), QueueClosed);
  EXPECT_THROW(queue.try_lease(), QueueClosed);
}

TEST_F(LeaseClose, lease_on_a_closed_queue_gives_nothing_while_another_is_outstanding) {
  auto queue = make<int>();
  queue.put(1);
  queue.close();
  std::optional lease = queue.lease();
  EXPECT_FALSE(queue.try_lease());
  EXPECT_FALSE(open_as(other_, queue).try_lease_for(1ms));
  EXPECT_THROW(queue.try_get(), QueueClosed) << "a plain get does not wait for that";
  lease.reset();
  queue.lease().done();
  EXPECT_THROW(queue.try_lease(), QueueClosed);
}

TEST_F(LeaseClose, leases_that_wait_on_a_closed_queue_end_with_the_last_done) {
  auto queue = make<int>();
  queue.put(1);
  queue.put(2);
  queue.close();
  auto first = queue.lease();
  auto second = queue.lease();
  std::vector<std::jthread> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back([mine = open_as(i % 2 ? member_ : other_, queue)]() mutable {
      EXPECT_THROW(mine.lease(), QueueClosed);
    });
  }
  wait_for_sleepers(queue, InterestKind::lease, 3);
  first.done();
  wait_for_sleepers(queue, InterestKind::lease, 3);
  second.done();
}

TEST_F(LeaseClose, lease_that_waits_on_a_closed_queue_gets_what_is_given_back) {
  auto queue = make<int>();
  queue.put(1);
  queue.close();
  std::optional lease = queue.lease();
  std::jthread worker([mine = open_as(other_, queue)]() mutable {
    auto again = mine.lease();
    EXPECT_EQ(*again, 1);
    again.done();
    EXPECT_THROW(mine.lease(), QueueClosed);
  });
  wait_for_sleepers(queue, InterestKind::lease);
  lease.reset();
}

TEST_F(LeaseClose, leases_that_wait_on_a_closed_queue_end_when_a_get_takes_what_was_given_back) {
  for (int round = 0; round < 50; ++round) {
    auto queue = make<int>();
    queue.put(1);
    queue.close();
    std::optional lease = queue.lease();
    std::vector<std::jthread> waiting;
    std::atomic<int> leased = 0;
    for (int i = 0; i < 2; ++i) {
      waiting.emplace_back([&leased, mine = open_as(other_, queue)]() mutable {
        try {
          while (true) {
            mine.lease().done();
            ++leased;
          }
        } catch (const QueueClosed&) {
          // the end
        }
      });
    }
    wait_for_sleepers(queue, InterestKind::lease, 2);
    lease.reset();
    int got = 0;
    try {
      got = queue.try_get().has_value() ? 1 : 0;
    } catch (const QueueClosed&) {
      // a lease was faster
    }
    waiting.clear();
    EXPECT_EQ(got + leased, 1);
  }
}

TEST_F(LeaseClose, lease_that_waits_on_a_closed_queue_gets_what_a_dead_holder_had) {
  auto victim = node_.join();
  auto queue = make<int>();
  queue.put(1);
  queue.close();
  abandon(abandon(open_as(victim, queue)).lease());
  std::jthread worker([mine = open_as(other_, queue)]() mutable {
    mine.lease().done();
    EXPECT_THROW(mine.lease(), QueueClosed);
  });
  wait_for_sleepers(queue, InterestKind::lease);
  node_.bury(*victim);
}

TEST_F(LeaseClose, lease_that_waits_is_told_of_a_close) {
  auto queue = make<int>();
  std::jthread worker([mine = open_as(other_, queue)]() mutable { EXPECT_THROW(mine.lease(), QueueClosed); });
  wait_for_sleepers(queue, InterestKind::lease);
  queue.close();
}

}  // namespace
}  // namespace wyvern::test
