#include <algorithm>
#include <chrono>
#include <cstdint>
#include <future>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "support/two_members.hpp"

namespace wyvern::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

class LeaseTest : public TwoMembers {};

TEST_F(LeaseTest, lease_that_is_done_ends_the_message) {
  auto queue = make<std::string>();
  queue.put("work");
  {
    auto lease = open_as(other_, queue).lease();
    EXPECT_EQ(*lease, "work");
    EXPECT_EQ(lease->size(), 4U);
    EXPECT_EQ(lease.delivery_count(), 0U);
    EXPECT_TRUE(queue.empty_approx());
    lease.done();
  }
  EXPECT_TRUE(queue.empty_approx());
  EXPECT_FALSE(queue.try_lease());
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(LeaseTest, each_form_of_lease_gives_the_next_message) {
  auto queue = make<int>();
  for (int i = 0; i < 5; ++i) queue.put(i);
  const std::stop_source stop;
  const auto done = [](Lease<int> lease) {
    lease.done();
    return *lease;
  };
  // The value is in the lease's block until somebody uses that again.
  EXPECT_EQ(done(queue.lease()), 0);
  EXPECT_EQ(done(*queue.lease(stop.get_token())), 1);
  EXPECT_EQ(done(*queue.try_lease()), 2);
  EXPECT_EQ(done(*queue.try_lease_for(1h)), 3);
  EXPECT_EQ(done(*queue.try_lease_until(steady_clock::now() + 1h)), 4);
}

TEST_F(LeaseTest, lease_on_an_empty_queue_gives_nothing_in_time) {
  auto queue = make<int>();
  EXPECT_FALSE(queue.try_lease());
  EXPECT_FALSE(queue.try_lease_for(1ms));
  EXPECT_FALSE(queue.try_lease_until(steady_clock::now() + 1ms));
}

TEST_F(LeaseTest, lease_that_waits_gets_what_is_put) {
  auto queue = make<int>();
  std::jthread worker([mine = open_as(other_, queue)]() mutable { mine.lease().done(); });
  wait_for_sleepers(queue, InterestKind::lease);
  queue.put(1);
}

TEST_F(LeaseTest, lease_that_waits_gets_what_is_given_back) {
  auto queue = make<int>();
  queue.put(7);
  std::optional lease = queue.lease();
  auto worker = std::async(std::launch::async, [mine = open_as(other_, queue)]() mutable {
    auto again = mine.lease();
    again.done();
    return again.delivery_count();
  });
  wait_for_sleepers(queue, InterestKind::lease);
  lease.reset();
  EXPECT_EQ(worker.get(), 1U);
}

TEST_F(LeaseTest, get_that_waits_gets_what_is_given_back) {
  auto queue = make<int>();
  queue.put(7);
  std::optional lease = queue.lease();
  auto consumer =
      std::async(std::launch::async, [mine = open_as(other_, queue)]() mutable { return mine.get(); });
  wait_for_sleepers(queue, InterestKind::message);
  lease.reset();
  EXPECT_EQ(consumer.get(), 7);
}

TEST_F(LeaseTest, dropped_lease_puts_the_message_back_in_front_of_everything_with_a_delivery_more) {
  for (const std::size_t size : {3U, 3'000U}) {
    auto queue = make<std::string>({.capacity = 2});
    const std::string first(size, 'a');
    queue.put(first);
    queue.put("b");
    { const auto lease = queue.lease(); }
    queue.put("c");  // it takes no place in the ring
    EXPECT_EQ(queue.size_approx(), 3U);
    EXPECT_FALSE(queue.try_put("d"));

    auto again = open_as(other_, queue).lease();
    EXPECT_EQ(*again, first);
    EXPECT_EQ(again.delivery_count(), 1U);
    again.done();
    EXPECT_EQ(queue.get(), "b");
    auto last = queue.lease();
    EXPECT_EQ(last.delivery_count(), 0U) << "the count is the message's, not the place's";
    last.done();
    EXPECT_EQ(audit_of(queue), "");
  }
}

TEST_F(LeaseTest, message_given_back_is_there_for_get_and_take_exactly_once) {
  auto queue = make<int>();
  queue.put(1);
  { const auto lease = queue.lease(); }
  EXPECT_EQ(open_as(other_, queue).get(), 1);
  EXPECT_FALSE(queue.try_get());
  queue.put(2);
  { const auto lease = queue.lease(); }
  EXPECT_EQ(*queue.take(), 2);
  EXPECT_FALSE(queue.try_lease());
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(LeaseTest, several_given_back_come_before_the_rest_each_once) {
  constexpr int count = 10;
  auto queue = make<int>({.capacity = 16});
  for (int i = 0; i < count; ++i) queue.put(i);
  {
    std::vector<Lease<int>> leases;
    for (int i = 0; i < 4; ++i) leases.push_back(queue.lease());
    EXPECT_EQ(queue.size_approx(), 6U);
  }
  EXPECT_EQ(queue.size_approx(), 10U);
  std::set<int> first;
  for (int i = 0; i < 4; ++i) first.insert(queue.get());
  EXPECT_EQ(first, (std::set{0, 1, 2, 3}));
  for (int i = 4; i < count; ++i) EXPECT_EQ(queue.get(), i);
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(LeaseTest, place_in_the_queue_is_free_while_the_message_is_leased) {
  auto queue = make<int>({.capacity = 1});
  queue.put(1);
  auto lease = queue.lease();
  EXPECT_TRUE(queue.try_put(2));
  lease.done();
  EXPECT_EQ(queue.get(), 2);
}

TEST_F(LeaseTest, taking_over_what_was_given_back_does_not_touch_other_messages_that_are_held) {
  auto queue = make<int>();
  for (int i = 0; i < 3; ++i) queue.put(i);
  const auto held = queue.take();
  std::optional lease = queue.lease();
  auto kept = queue.lease();
  lease.reset();
  EXPECT_EQ(queue.get(), 1);
  EXPECT_EQ(*held, 0);
  EXPECT_EQ(*kept, 2);
  kept.done();
}

TEST_F(LeaseTest, done_twice_is_lease_lost) {
  auto queue = make<int>();
  queue.put(1);
  queue.put(2);
  auto lease = queue.lease();
  lease.done();
  EXPECT_THROW(lease.done(), LeaseLost);
  EXPECT_EQ(queue.get(), 2) << "and ends nothing else";
}

TEST_F(LeaseTest, lease_that_was_moved_from_is_nothing_to_be_done) {
  auto queue = make<int>();
  queue.put(1);
  auto lease = queue.lease();
  auto moved = std::move(lease);
  EXPECT_THROW(lease.done(), LeaseLost);
  moved.done();
  EXPECT_FALSE(queue.try_get());
}

TEST_F(LeaseTest, move_assignment_gives_the_message_before_back) {
  auto queue = make<int>();
  queue.put(1);
  queue.put(2);
  auto lease = queue.lease();
  auto next = queue.lease();
  lease = std::move(next);
  EXPECT_EQ(*lease, 2);
  EXPECT_EQ(queue.size_approx(), 1U);
  lease.done();
  EXPECT_EQ(queue.get(), 1);
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(LeaseTest, death_of_the_holder_puts_the_message_back_once) {
  auto victim = node_.join();
  auto queue = make<std::string>();
  queue.put(std::string(1'000, 'x'));
  queue.put("next");
  abandon(abandon(open_as(victim, queue)).lease());
  node_.bury(*victim);
  {
    auto lease = queue.lease();
    EXPECT_EQ(lease->size(), 1'000U);
    EXPECT_EQ(lease.delivery_count(), 1U);
    lease.done();
  }
  EXPECT_EQ(queue.get(), "next");
  EXPECT_FALSE(queue.try_get());
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(LeaseTest, death_of_the_holder_wakes_who_waits) {
  auto victim = node_.join();
  auto queue = make<int>();
  queue.put(5);
  abandon(abandon(open_as(victim, queue)).lease());
  auto consumer =
      std::async(std::launch::async, [mine = open_as(other_, queue)]() mutable { return mine.get(); });
  wait_for_sleepers(queue, InterestKind::message);
  node_.bury(*victim);
  EXPECT_EQ(consumer.get(), 5);
}

TEST_F(LeaseTest, lease_that_was_done_does_not_come_back_when_its_holder_dies) {
  auto victim = node_.join();
  auto queue = make<int>();
  queue.put(5);
  abandon(abandon(open_as(victim, queue)).lease()).done();
  node_.bury(*victim);
  EXPECT_FALSE(queue.try_get());
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(LeaseTest, late_done_is_lease_lost_and_does_not_end_the_lease_of_another) {
  auto late = node_.join();
  auto queue = make<int>();
  queue.put(5);
  auto& lost = abandon(abandon(open_as(late, queue)).lease());
  node_.bury(*late);  // as the agent would, had it taken a stopped process for dead
  EXPECT_THROW(lost.done(), LeaseLost);
  auto lease = queue.lease();
  EXPECT_THROW(lost.done(), LeaseLost);
  EXPECT_EQ(*lease, 5);
  EXPECT_EQ(lease.delivery_count(), 1U);
  lease.done();
  EXPECT_FALSE(queue.try_get());
}

TEST_F(LeaseTest, late_destruction_gives_nothing_back_a_second_time) {
  auto late = node_.join();
  auto queue = make<int>();
  queue.put(5);
  auto& theirs = abandon(open_as(late, queue));
  {
    const auto lease = theirs.lease();
    node_.bury(*late);
    queue.lease().done();
  }
  EXPECT_FALSE(queue.try_get());
  EXPECT_TRUE(queue.empty_approx());
}

TEST_F(LeaseTest, bytes_that_are_no_value_throw_when_leased_and_are_given_back) {
  struct Point {
    int x, y;
  };
  auto queue = make<Point>();
  Channel bytes = queue.channel();
  bytes.put(bytes_of("abc"));
  EXPECT_THROW(queue.lease(), DecodeError);
  EXPECT_THROW(queue.lease(), DecodeError);
  auto lease = bytes.lease();
  EXPECT_EQ(text_of(lease.bytes()), "abc");
  EXPECT_EQ(lease.delivery_count(), 2U);
  lease.done();
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(LeaseTest, delivery_count_stops_at_its_largest_value) {
  auto queue = make<int>();
  queue.put(3);
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    const auto lease = queue.lease();
    ASSERT_EQ(lease.delivery_count(), std::min(i, max_deliveries_counted));
    ASSERT_EQ(*lease, 3);
  }
  EXPECT_EQ(queue.get(), 3);
  EXPECT_EQ(port_count(queue), first_ports) << "giving back needs no new places";
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(LeaseTest, gets_and_leases_by_turns_need_few_places) {
  for (const bool report : {true, false}) {
    for (const bool hold_two : {true, false}) {
      auto queue = make<int>({.capacity = 8});
      for (int i = 0; i < 10'000; ++i) {
        queue.put(i);
        queue.put(i);
        queue.put(i);
        std::optional<Message<int>> held;
        if (hold_two) held = queue.take();
        { const auto lease = queue.lease(); }
        queue.get();
        if (report) queue.task_done();
        queue.lease().done();
        if (!hold_two) queue.get();
        held.reset();
        if (report) queue.task_done();
      }
      EXPECT_TRUE(queue.empty_approx());
      EXPECT_LE(port_count(queue), first_ports + ports_per_chunk) << report << hold_two;
      EXPECT_EQ(audit_of(queue), "");
    }
  }
}

TEST_F(LeaseTest, threads_that_give_back_most_of_what_they_lease_finish_every_message_once) {
  constexpr int count = 2'000;
  auto queue = make<int>({.capacity = 32});
  std::map<int, int> finished;
  {
    std::vector<std::future<std::vector<int>>> workers;
    for (int i = 0; i < 3; ++i) {
      workers.push_back(
          std::async(std::launch::async, [mine = open_as(i % 2 ? member_ : other_, queue)]() mutable {
            std::vector<int> mine_done;
            try {
              while (true) {
                auto lease = mine.lease();
                if (lease.delivery_count() < static_cast<std::uint32_t>(*lease % 3)) continue;
                mine_done.push_back(*lease);
                lease.done();
              }
            } catch (const QueueClosed&) {
              return mine_done;
            }
          }));
    }
    for (int i = 0; i < count; ++i) queue.put(i);
    queue.close();
    for (auto& worker : workers) {
      for (const int value : worker.get()) ++finished[value];
    }
  }
  EXPECT_EQ(finished.size(), static_cast<std::size_t>(count));
  for (const auto& [value, times] : finished) ASSERT_EQ(times, 1) << value;
  EXPECT_EQ(audit_of(queue), "");
  EXPECT_EQ(queue.join(), 0U);
}

}  // namespace
}  // namespace wyvern::test
