#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/fiber/fiber.hpp>

#include "support/child.hpp"
#include "support/local_node.hpp"

namespace wyvern::test {
namespace {

/// Queues in fibers: what blocks suspends the fiber, or one thread could do none of this.
class FiberQueue : public ::testing::Test {
 protected:
  ~FiberQueue() override { EXPECT_EQ(audit(node_.segment(), queue_.channel().reference()), ""); }
  const RingView& view() const { return queue_.channel().local().view(); }
  /// Until the only thread that runs fibers sleeps.
  void wait_for_sleep() {
    wait_for([&] { return sleepers(node_.segment(), InterestKind::several, 0) == 1; });
  }

  LocalNode node_;
  std::shared_ptr<Member> member_ = node_.join();
  Queue<int> queue_ = make_queue<int>(member_, {.capacity = 4});
};

TEST_F(FiberQueue, producers_and_consumers_share_a_thread) {
  constexpr int in_all = 2000;
  int sum = 0;
  std::vector<Fiber<>> consumers;
  for (int i = 0; i < 5; ++i) {
    consumers.emplace_back([&] {
      try {
        while (true) sum += queue_.get();
      } catch (const QueueClosed&) {
      }
    });
  }
  {
    std::vector<Fiber<>> producers;
    for (int first = 0; first < 4; ++first) {
      producers.emplace_back([&, first] {
        for (int i = first; i < in_all; i += 4) queue_.put(i);
      });
    }
  }
  queue_.close();
  consumers.clear();
  EXPECT_EQ(sum, in_all * (in_all - 1) / 2);
}

TEST_F(FiberQueue, batches_wait_for_room_and_for_messages) {
  Fiber producer([&] { return queue_.put_many(std::vector<int>(100, 1)); });
  std::size_t got = 0;
  while (got < 100) got += queue_.get_many(7).size();
  EXPECT_EQ(producer.join(), 100U);
}

TEST_F(FiberQueue, join_waits_for_all_tasks_in_as_many_fibers_as_want_to) {
  queue_.put(1);
  queue_.put(2);
  int joined = 0;
  std::vector<Fiber<>> joiners;
  for (int i = 0; i < 10; ++i) {
    joiners.emplace_back([&] {
      queue_.join();
      ++joined;
    });
  }
  this_fiber::yield();
  queue_.lease().done();
  this_fiber::yield();
  EXPECT_EQ(joined, 0);
  queue_.get();
  queue_.task_done();
  joiners.clear();
  EXPECT_EQ(joined, 10);
}

TEST_F(FiberQueue, message_of_another_process_wakes_the_fiber_that_waits_for_it) {
  node_.provide_ports(queue_.channel(), 4);
  const auto in_vain = make_queue<int>(member_);
  Child child([&] {
    wait_for_sleep();
    queue_.put(5);
    return 0;
  });
  Fiber other([&] { EXPECT_THROW(in_vain.get(), QueueClosed); });
  EXPECT_EQ(Fiber([&] { return queue_.get(); }).join(), 5);
  in_vain.close();
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(FiberQueue, fiber_that_nobody_woke_is_mended_by_a_sweep) {
  const auto in_vain = make_queue<int>(member_);
  std::jthread thread([&] {
    Fiber other([&] { EXPECT_THROW(in_vain.get(), QueueClosed); });
    Fiber([&] { EXPECT_EQ(queue_.get(), 7); }).join();
    in_vain.close();
  });
  wait_for_sleep();
  WaiterSet& getters = view().header().getters;
  const std::uint64_t summary = getters.summary.exchange(0);  // a waker looks and finds nobody
  queue_.put(7);
  getters.summary = summary;

  node_.sweep();
}

/// Its thread never sleeps, and so looks at no condition on its own.
TEST_F(FiberQueue, fiber_that_nobody_woke_is_mended_by_a_sweep_while_others_run) {
  bool got = false;
  Fiber consumer([&] {
    EXPECT_EQ(queue_.get(), 8);
    got = true;
  });
  this_fiber::yield();
  WaiterSet& getters = view().header().getters;
  const std::uint64_t summary = getters.summary.exchange(0);
  queue_.put(8);
  getters.summary = summary;
  Fiber busy([&] {
    while (!got) this_fiber::yield();
  });
  for (int i = 0; i < 1000; ++i) this_fiber::yield();
  EXPECT_FALSE(got);

  node_.sweep();
  busy.join();
}

TEST_F(FiberQueue, fibers_of_a_dead_process_leave_no_registration) {
  node_.provide_ports(queue_.channel(), 4);
  const auto dead = node_.join();
  auto& handle = abandon(open_as(dead, queue_));
  Child child([&] {
    std::vector<Fiber<>> consumers;
    for (int i = 0; i < 10; ++i) consumers.emplace_back([&] { handle.get(); });
    consumers.clear();
    return 0;
  });
  wait_for_sleep();
  child.send(SIGKILL);
  EXPECT_EQ(child.wait(), -SIGKILL);
  node_.bury(*dead);
  EXPECT_EQ(audit_node(node_.segment()), "");
  queue_.put(1);
  EXPECT_EQ(queue_.get(), 1);
}

}  // namespace
}  // namespace wyvern::test
