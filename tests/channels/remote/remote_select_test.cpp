#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/channels/remote/remote_access.hpp>
#include <wyvern/channels/select.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/fiber/fiber.hpp>
#include <wyvern/transport/fabric_endpoint.hpp>

#include "remote_channel_scene.hpp"
#include "serving_node.hpp"
#include "support/local_node.hpp"

// What a select over queues of several nodes does while it sleeps, and what becomes of messages that it does
// not take.
namespace wyvern::test {
namespace {

constexpr auto nothing = [](auto&&) {};

/// A process of node 2 selects from queues of node 1, and from one of its own node.
class RemoteSelectTest : public ::testing::TestWithParam<const char*> {
 protected:
  explicit RemoteSelectTest(const PeerWatchOptions& watch = impatient) : watch_(watch) {
    member_->network_access().access = std::make_shared<RemoteAccess>(
        member_, std::make_unique<FabricEndpoint>(EndpointOptions{.provider = GetParam()}), key_,
        [this](std::uint32_t) { return home_->address(); }, watch_);
  }
  struct Ends {
    Queue<int> there;
    Queue<int> here;
  };
  Ends make(const QueueOptions& options = {}) const {
    Queue<int> there(home_->local, options);
    Queue<int> here = open_as(member_, there);
    return {.there = std::move(there), .here = std::move(here)};
  }
  /// What a thread has waited as a member for keeps that until the thread ends.
  static void in_a_thread(const std::function<void()>& body) { std::thread(body).join(); }
  /// Until so many threads of node 2 sleep in a select, or in their fibers.
  void wait_for_sleep(std::uint32_t threads = 1) const {
    wait_for([&] { return sleepers(node_.segment(), InterestKind::several, 0) == threads; });
  }
  std::string audit_of(const Queue<int>& queue) const {
    return audit(home_->node.segment(), queue.channel().reference());
  }

  PeerWatchOptions watch_;
  JobKey key_ = JobKey::make();
  std::unique_ptr<ServingNode> home_ = std::make_unique<ServingNode>(
      key_, GetParam(), HomeOptions{.limits = {}, .watch = watch_, .report = {}});
  LocalNode node_{std::uint64_t{256} << 20, 2};
  std::shared_ptr<Member> member_ = node_.join();
};
INSTANTIATE_TEST_SUITE_P(Over, RemoteSelectTest, ::testing::Values("tcp", "net"), path_name);

TEST_P(RemoteSelectTest, sleeping_select_is_woken_by_queues_of_both_nodes) {
  const Ends far = make();
  const auto near = make_queue<int>(member_);
  for (int i = 0; i < 6; ++i) {
    std::jthread putter([&] {
      wait_for_sleep();
      (i % 2 == 0 ? far.there : near).put(i);
    });
    in_a_thread([&] {
      int got = -1;
      const auto note = [&](int value) { got = value; };
      EXPECT_EQ(select(on(far.here, note), on(near, note)), static_cast<std::size_t>(i % 2));
      EXPECT_EQ(got, i);
    });
  }
  EXPECT_EQ(audit_node(node_.segment()), "");
}

TEST_P(RemoteSelectTest, sleeping_fibers_select_from_queues_of_both_nodes) {
  constexpr int each = 20;
  const Ends far = make();
  const auto near = make_queue<int>(member_);
  std::jthread putter([&] {
    wait_for_sleep();
    for (int i = 0; i < each; ++i) {
      far.there.put(1);
      near.put(1);
    }
  });
  in_a_thread([&] {
    int sum = 0;
    std::vector<Fiber<>> fibers;
    for (int i = 0; i < 2 * each; ++i)
      fibers.emplace_back([&] {
        const auto add = [&](int value) { sum += value; };
        select(on(far.here, add), on(near, add));
      });
    fibers.clear();
    EXPECT_EQ(sum, 2 * each);
  });
  EXPECT_EQ(audit_of(far.there), "");
}

TEST_P(RemoteSelectTest, message_that_comes_for_a_select_that_has_another_goes_back_to_the_front) {
  const Ends first = make();
  const Ends second = make();
  for (int i = 0; i < 20; ++i) {
    std::jthread putter([&] {
      wait_for_sleep();
      first.there.put(i);
      second.there.put(i);
    });
    std::size_t chosen = 2;
    in_a_thread([&] { chosen = select(on(first.here, nothing), on(second.here, nothing)); });
    putter.join();
    const Queue<int>& other = chosen == 0 ? second.there : first.there;
    other.put(i + 1);
    wait_for([&] { return other.size_approx() == 2; });
    EXPECT_EQ(other.get(), i);
    EXPECT_EQ(other.get(), i + 1);
  }
  EXPECT_EQ(audit_of(first.there), "");
  EXPECT_EQ(audit_of(second.there), "");
}

TEST_P(RemoteSelectTest, get_that_waits_in_another_thread_is_served_beside_a_select) {
  const Ends selected = make();
  const Ends got = make();
  const auto near = make_queue<int>(member_);
  std::jthread getter([&] { EXPECT_EQ(got.here.get(), 7); });
  std::jthread selecter([&] { EXPECT_EQ(select(on(selected.here, nothing), on(near, nothing)), 0U); });
  wait_for_sleep();
  got.there.put(7);
  getter.join();
  selected.there.put(1);
}

TEST_P(RemoteSelectTest, loss_of_the_node_ends_the_select_of_a_thread_and_of_fibers) {
  const Ends far = make();
  const auto near = make_queue<int>(member_);
  const auto expect_loss = [&] { EXPECT_THROW(select(on(near, nothing), on(far.here, nothing)), NodeLost); };
  std::jthread thread(expect_loss);
  std::jthread fibers([&] {
    Fiber first(expect_loss);
    Fiber second(expect_loss);
  });
  wait_for_sleep(2);
  home_->stop();
}

TEST_P(RemoteSelectTest, fiber_that_is_ended_in_a_select_leaves_nothing_behind) {
  const Ends far = make();
  const auto near = make_queue<int>(member_);
  in_a_thread([&] {
    std::atomic<bool> has_begun = false;
    Fiber([&] {
      has_begun = true;
      EXPECT_THROW(select(on(near, nothing), on(far.here, nothing)), FiberEnded);
    }).detach();
    while (!has_begun) this_fiber::yield();
  });
  EXPECT_EQ(audit_node(node_.segment()), "");
  far.there.put(3);
  in_a_thread([&] { EXPECT_EQ(select(on(near, nothing), on(far.here, nothing)), 1U); });
  EXPECT_EQ(audit_of(far.there), "");
}

TEST_P(RemoteSelectTest, queue_that_has_ended_concerns_a_select_no_more_when_its_node_is_lost) {
  const Ends far = make();
  const auto near = make_queue<int>(member_);
  std::jthread other([&] {
    wait_for_sleep();
    far.there.close();
    EXPECT_THROW(far.here.get(), QueueClosed);  // by now whoever selects has been told, too
    wait_for_sleep();
    home_->stop();
    EXPECT_THROW(far.here.get(), NodeLost);
    wait_for_sleep();
    near.put(1);
  });
  in_a_thread([&] { EXPECT_EQ(select(on(far.here, nothing), on(near, nothing)), 1U); });
}

/// Where the agent of node 1 may be silent for as long as a test wants.
class SelectBesideSilence : public RemoteSelectTest {
 protected:
  SelectBesideSilence()
      : RemoteSelectTest({.suspect_after = std::chrono::hours(1), .lost_after = std::chrono::hours(2)}) {}
};
INSTANTIATE_TEST_SUITE_P(Over, SelectBesideSilence, ::testing::Values("tcp", "net"), path_name);

/// A thread's first select looks at its first queue first.
TEST_P(SelectBesideSilence, stop_while_an_earlier_lease_is_not_settled_leaves_the_other_queues_as_they_are) {
  const Ends left = make();
  const Ends behind = make();
  const auto empty = make_queue<int>(member_);
  const auto near = make_queue<int>(member_);
  home_->stand_still();
  EXPECT_FALSE(left.here.try_lease_for(std::chrono::milliseconds(1)));
  std::stop_source stop;
  std::jthread stopper([&] {
    wait_for_sleep();
    near.put(7);
    stop.request_stop();
  });
  in_a_thread([&] {
    EXPECT_EQ(select(stop.get_token(), on(empty, nothing), on(left.here, nothing), on(behind.here, nothing),
                     on(near, [](int value) { EXPECT_EQ(value, 7); })),
              3U);
  });
  home_->go_on();
  behind.there.put(1);
  EXPECT_EQ(behind.here.get(), 1);
}

TEST_P(SelectBesideSilence, deadline_ends_a_select_from_a_queue_that_is_prefetched) {
  const Ends far = make({.prefetch = 4});
  const auto near = make_queue<int>(member_);
  home_->stand_still();
  in_a_thread([&] {
    EXPECT_EQ(try_select_for(std::chrono::milliseconds(1), on(far.here, nothing), on(near, nothing)),
              std::nullopt);
  });
  near.put(1);
  in_a_thread([&] { EXPECT_EQ(select(on(far.here, nothing), on(near, nothing)), 1U); });
  home_->go_on();
  far.there.put(2);
  EXPECT_EQ(far.here.get(), 2);
}

TEST_P(SelectBesideSilence, fiber_that_is_ended_in_a_look_at_a_queue_that_is_prefetched_leaves_nothing) {
  const Ends far = make({.prefetch = 4});
  home_->stand_still();
  in_a_thread([&] {
    std::atomic<bool> has_begun = false;
    Fiber([&] {
      has_begun = true;
      EXPECT_THROW(try_select(on(far.here, nothing)), FiberEnded);
    }).detach();
    while (!has_begun) this_fiber::yield();
  });
  home_->go_on();
  for (int i = 0; i < 6; ++i) {
    far.there.put(i);
    EXPECT_EQ(far.here.get(), i);
  }
  EXPECT_EQ(audit_of(far.there), "");
}

TEST_P(RemoteSelectTest, queue_that_is_prefetched_has_its_turn_beside_one_that_is_never_empty) {
  const Ends far = make({.prefetch = 4});
  const auto near = make_queue<int>(member_);
  far.there.put(1);
  in_a_thread([&] {
    std::size_t chosen = 1;
    while (chosen == 1) {
      near.put(1);
      chosen = select(on(far.here, nothing), on(near, nothing));
    }
  });
  EXPECT_EQ(audit_of(far.there), "");
}

TEST_P(SelectBesideSilence, lease_that_a_select_does_not_take_is_no_delivery) {
  const Ends tasks = make();
  const auto near = make_queue<int>(member_);
  for (int i = 0; i < 5; ++i) {
    home_->stand_still();
    tasks.there.put(i);
    std::jthread putter([&] {
      wait_for_sleep();
      near.put(i);
    });
    in_a_thread([&] { EXPECT_EQ(select(on(near, nothing), on_lease(tasks.here, nothing)), 0U); });
    home_->go_on();
    // With the first answer the message has come; with the second the home has it again.
    for (int n = 0; n < 2; ++n) tasks.here.size_approx();
    Lease<int> back = tasks.there.lease();
    EXPECT_EQ(*back, i);
    EXPECT_EQ(back.delivery_count(), 0U);
    back.done();
  }
  EXPECT_EQ(audit_of(tasks.there), "");
}

TEST_P(RemoteSelectTest, lease_that_comes_beside_another_message_is_no_delivery) {
  const Ends control = make();
  const Ends tasks = make();
  for (int i = 0; i < 20; ++i) {
    std::jthread putter([&] {
      wait_for_sleep();
      control.there.put(i);
      tasks.there.put(i);
    });
    std::size_t chosen = 2;
    const auto finish = [](Lease<int> lease) { lease.done(); };
    in_a_thread([&] { chosen = select(on(control.here, nothing), on_lease(tasks.here, finish)); });
    if (chosen == 1) {
      EXPECT_EQ(control.there.get(), i);
    } else {
      Lease<int> back = tasks.there.lease();
      EXPECT_EQ(back.delivery_count(), 0U);
      back.done();
    }
    putter.join();
  }
}

/// A thread's second select of three looks at its second queue first.
TEST_P(SelectBesideSilence, queue_that_is_there_twice_is_taken_from_in_order) {
  const Ends far = make();
  const auto near = make_queue<int>(member_);
  for (int i = 0; i < 10; ++i) {
    std::jthread putter([&] {
      wait_for_sleep();
      home_->stand_still();
      far.there.put(2 * i);
      far.there.put(2 * i + 1);
      home_->go_on();
    });
    in_a_thread([&] {
      try_select(on(near, nothing));
      int got = -1;
      const auto note = [&](int value) { got = value; };
      select(on(far.here, note), on(near, nothing), on(far.here, note));
      EXPECT_EQ(got, 2 * i);
    });
    putter.join();
    EXPECT_EQ(far.there.get(), 2 * i + 1);
  }
}

/// The fiber runs when the select waits for what the lease has left.
TEST_P(SelectBesideSilence, thread_whose_last_fiber_ends_while_it_asks_is_woken_all_the_same) {
  const Ends far = make();
  const auto near = make_queue<int>(member_);
  const auto& getters = near.channel().local().view().header().getters;
  home_->stand_still();
  std::jthread putter([&] {
    wait_for_sleep();
    home_->go_on();
    wait_for([&] { return std::ranges::any_of(getters.words, [](const auto& word) { return word != 0; }); });
    wait_for_sleep();
    far.there.put(1);
  });
  in_a_thread([&] {
    EXPECT_FALSE(far.here.try_lease_for(std::chrono::milliseconds(1)));
    const Fiber fiber([] {});
    EXPECT_EQ(select(on(near, nothing), on(far.here, nothing)), 1U);
  });
}

}  // namespace
}  // namespace wyvern::test
