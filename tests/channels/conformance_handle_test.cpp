#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "conformance.hpp"

// Handles in messages, of queues of the message's node and of others.
namespace wyvern::test {
namespace {

class ConformanceHandleTest : public Conformance {};
INSTANTIATE_TEST_SUITE_P(Over, ConformanceHandleTest, all_ways(), way_name);

/// However it comes out of that queue, a handle is one of the queue whose `other_end` is given.
void expect_to_lead_there(const Queue<Queue<int>>& queue, const Queue<int>& handle,
                          const Queue<int>& other_end) {
  queue.put(handle);
  EXPECT_EQ(queue.put_many(std::vector{handle, handle}), 2U);
  const Queue<int> got = queue.get();
  EXPECT_EQ(got, handle);
  EXPECT_EQ(*queue.take(), handle);
  auto lease = queue.lease();
  EXPECT_EQ(*lease, handle);
  lease.done();
  got.put(5);
  EXPECT_EQ(other_end.get(), 5);
}

TEST_P(ConformanceHandleTest, handle_in_a_message_leads_to_its_queue) {
  const auto [there, here] = make<Queue<int>>();
  const auto [inner_there, inner_here] = make<int>();
  expect_to_lead_there(here, inner_here, inner_there);
}

TEST_P(ConformanceHandleTest, queue_lives_as_long_as_a_message_carries_it) {
  const auto [there, here] = make<Producer<int>>();
  {
    const auto [inner_there, inner_here] = make<int>();
    inner_here.put(3);
    here.put(inner_here.producer());
  }
  const Producer<int> got = here.get();
  got.put(4);
  got.flush();
}

TEST_P(ConformanceHandleTest, handle_to_a_queue_of_another_node_leads_there) {
  ServingNode& third = add_node();
  const auto [there, here] = make<Queue<int>>();
  const Queue<int> far(third.local, QueueOptions{});
  expect_to_lead_there(here, open_here(far), far);
}

TEST_P(ConformanceHandleTest, queue_of_another_node_lives_as_long_as_a_message_carries_it) {
  ServingNode& third = add_node();
  const auto [there, here] = make<std::pair<std::string, Producer<int>>>();
  ObjectReference reference;
  const auto is_alive = [&] {
    return third.node.segment().object(reference.index).id == reference.id.value();
  };
  for (const std::size_t size : {10U, 1'000U, 1'000'000U}) {
    {
      const Queue<int> far(third.local, QueueOptions{});
      reference = far.channel().reference();
      here.put({std::string(size, 'x'), open_here(far).producer()});
    }
    auto got = here.get();
    got.second.put(4);
    got.second.flush();
    EXPECT_EQ(got.first.size(), size);
    EXPECT_TRUE(is_alive());
    got = {};
    wait_for([&] {
      sweep();
      return !is_alive();
    });
  }
}

TEST_P(ConformanceHandleTest, handles_of_several_nodes_are_in_one_message) {
  ServingNode& third = add_node();
  using Pair = std::pair<Queue<int>, Queue<int>>;
  const auto [there, here] = make<Pair>({.capacity = 1});
  const auto [near, near_here] = make<int>();
  const Queue<int> far(third.local, QueueOptions{});
  const Pair both{near_here, open_here(far)};
  here.put(both);
  EXPECT_FALSE(here.try_put(both));
  EXPECT_FALSE(here.try_put_for(std::chrono::milliseconds(1), both));
  EXPECT_EQ(here.try_put_many(std::vector{both, both}), 0U);
  const Pair got = here.get();
  got.first.put(1);
  got.second.put(2);
  EXPECT_EQ(near.get(), 1);
  EXPECT_EQ(far.get(), 2);
  EXPECT_TRUE(here.try_put(both));
  here.close();
  EXPECT_THROW(here.put(both), QueueClosed);
}

TEST_P(ConformanceHandleTest, put_of_a_handle_whose_home_is_silent_keeps_its_limit) {
  if (GetParam() == std::string("shm"))
    GTEST_SKIP() << "libfabric reads the memory of peers that have ended here";
  ServingNode& third = add_node();
  const auto [there, here] = make<Queue<int>>();
  const Queue<int> far_here = open_here(Queue<int>(third.local, QueueOptions{}));
  third.stop();
  EXPECT_FALSE(here.try_put_for(std::chrono::milliseconds(1), far_here));
  EXPECT_TRUE(there.empty_approx());
}

TEST_P(ConformanceHandleTest, what_needs_a_queue_of_this_node_refuses_others) {
  if (!is_remote()) GTEST_SKIP() << "there is one node";
  const auto [there, here] = make<Queue<int>>();
  const auto [inner_there, inner_here] = make<int>();
  EXPECT_THROW(Queue<int>(Member::current(), {.max_deliveries = 1, .dead_letters = inner_here.channel()}),
               InvalidArgument);
  EXPECT_THROW(here.channel().local(), InvalidArgument);
}

TEST_P(ConformanceHandleTest, job_has_no_other_nodes_than_its_own) {
  const ObjectReference elsewhere{.id = ObjectId::make(0, 9, 1), .index = 0};
  EXPECT_THROW(Queue<int>(Member::current(), elsewhere), NodeLost);
}

}  // namespace
}  // namespace wyvern::test
