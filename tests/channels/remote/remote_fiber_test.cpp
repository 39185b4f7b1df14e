#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/channels/remote/remote_batch.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/fiber/fiber.hpp>

#include "remote_channel_scene.hpp"

// Many calls on another node's queues are under way in one thread.
namespace wyvern::test {
namespace {

using std::chrono::milliseconds;

class RemoteFiberTest : public RemoteChannelTest {
 protected:
  explicit RemoteFiberTest(std::uint32_t window = 64) : RemoteChannelTest(window) {}
  /// Until the only thread that runs fibers sleeps.
  void wait_for_sleep() {
    wait_for([&] { return sleepers(node_.segment(), InterestKind::several, 0) == 1; });
  }
  /// Each of these calls blocks a fiber of a thread that comes to its end then. How many of them were ended.
  template <class... Calls>
  static std::size_t count_ended(Calls&&... calls) {
    std::size_t ended = 0;
    std::thread([&] {
      std::atomic<std::size_t> begun = 0;
      const auto start = [&](auto& call) {
        Fiber([&] {
          ++begun;
          EXPECT_THROW(call(), FiberEnded);
          ++ended;
        }).detach();
      };
      (start(calls), ...);
      while (begun < sizeof...(calls)) this_fiber::yield();
    }).join();
    return ended;
  }
};
INSTANTIATE_TEST_SUITE_P(Over, RemoteFiberTest, ::testing::Values("tcp", "net"), path_name);

TEST_P(RemoteFiberTest, fiber_that_waits_lets_the_others_run) {
  const Channel local = make_channel();
  const auto remote = open(local);
  Fiber consumer([&] { return get(*remote); });
  Fiber producer([&] { local.put(bytes_of("from another fiber")); });
  EXPECT_EQ(consumer.join(), "from another fiber");
}

TEST_P(RemoteFiberTest, threads_own_stack_waits_as_a_fiber_does) {
  const Channel local = make_channel();
  const auto remote = open(local);
  Fiber producer([&] {
    this_fiber::yield();
    local.put(bytes_of("for the thread"));
  });
  EXPECT_EQ(get(*remote), "for the thread");
}

TEST_P(RemoteFiberTest, fibers_that_wait_side_by_side_are_all_served) {
  const Channel local = make_channel();
  const auto remote = open(local);
  constexpr int fibers = 64;
  constexpr int each = 10;
  int sum = 0;
  std::vector<Fiber<>> consumers;
  for (int i = 0; i < fibers; ++i) {
    consumers.emplace_back([&] {
      for (int n = 0; n < each; ++n) sum += std::stoi(*get(*remote));
    });
  }
  std::thread producer([&] {
    wait_for_sleep();
    for (int i = 0; i < fibers * each; ++i) local.put(bytes_of(std::to_string(i)));
  });
  consumers.clear();
  producer.join();
  EXPECT_EQ(sum, fibers * each * (fibers * each - 1) / 2);
  EXPECT_EQ(audit(home_->node.segment(), local.reference()), "");
}

TEST_P(RemoteFiberTest, fibers_that_put_side_by_side_wait_for_room_and_keep_their_order) {
  const Channel local = make_channel({.capacity = 16});
  const auto remote = open(local);
  constexpr int fibers = 8;
  constexpr int each = 200;
  std::thread consumer([&] {
    std::vector<int> next(fibers);
    for (int i = 0; i < fibers * each; ++i) {
      const std::string text = text_of(local.get());
      const int who = text[0] - '0';
      EXPECT_EQ(text.substr(2), std::to_string(next[static_cast<std::size_t>(who)]++));
    }
  });
  {
    std::vector<Fiber<>> producers;
    for (int i = 0; i < fibers; ++i) {
      producers.emplace_back([&, i] {
        for (int n = 0; n < each; ++n) put(*remote, std::to_string(i) + " " + std::to_string(n));
      });
    }
  }
  consumer.join();
}

TEST_P(RemoteFiberTest, fibers_wait_for_queues_of_both_nodes_at_a_time) {
  const Channel there = make_channel();
  const auto remote = open(there);
  const Channel here = Channel::create(member_, {}, raw_bytes_type_hash, raw_bytes_type_name);
  std::thread producer([&] {
    for (int i = 0; i < 20; ++i) {
      wait_for_sleep();
      (i % 2 == 0 ? here : there).put(bytes_of(std::to_string(i)));
    }
  });
  Fiber consumer_here([&] {
    for (int i = 0; i < 20; i += 2) EXPECT_EQ(text_of(here.get()), std::to_string(i));
  });
  Fiber consumer_there([&] {
    for (int i = 1; i < 20; i += 2) EXPECT_EQ(get(*remote), std::to_string(i));
  });
  consumer_here.join();
  consumer_there.join();
  producer.join();
}

TEST_P(RemoteFiberTest, fibers_and_threads_take_turns_at_polling) {
  const Channel first = make_channel();
  const Channel second = make_channel();
  const auto for_fibers = open(first);
  const auto for_thread = open(second);
  constexpr int messages = 100;
  std::thread with_fibers([&] {
    std::vector<Fiber<>> consumers;
    for (int i = 0; i < 4; ++i) {
      consumers.emplace_back([&] {
        for (int n = 0; n < messages; ++n) second.put(bytes_of(*get(*for_fibers)));
      });
    }
  });
  for (int i = 0; i < 4 * messages; ++i) {
    first.put(bytes_of(std::to_string(i)));
    EXPECT_EQ(get(*for_thread), std::to_string(i));
  }
  with_fibers.join();
}

TEST_P(RemoteFiberTest, close_ends_the_waits_of_all) {
  const Channel local = make_channel();
  const auto remote = open(local);
  int closed = 0;
  std::vector<Fiber<>> consumers;
  for (int i = 0; i < 64; ++i) {
    consumers.emplace_back([&] {
      EXPECT_THROW(get(*remote), QueueClosed);
      ++closed;
    });
  }
  Fiber closer([&] { remote->close(); });
  consumers.clear();
  EXPECT_EQ(closed, 64);
}

TEST_P(RemoteFiberTest, loss_of_the_node_ends_the_waits_of_all) {
  const Channel local = make_channel();
  const auto remote = open(local);
  int lost = 0;
  std::vector<Fiber<>> consumers;
  for (int i = 0; i < 8; ++i) {
    consumers.emplace_back([&] {
      EXPECT_THROW(get(*remote), NodeLost);
      ++lost;
    });
  }
  std::thread stopper([&] {
    wait_for_sleep();
    home_->stop();
  });
  consumers.clear();
  stopper.join();
  EXPECT_EQ(lost, 8);
}

TEST_P(RemoteFiberTest, deadline_bounds_a_wait_in_vain) {
  const Channel local = make_channel({.capacity = 1});
  const auto remote = open(local);
  int others = 0;
  const auto start = std::chrono::steady_clock::now();
  Fiber consumer([&] {
    EXPECT_EQ(get(*remote, Deadline::after(milliseconds(30))), std::nullopt);
    EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(30));
    put(*remote, "full");
    EXPECT_FALSE(remote->put(bytes_of("in vain"), {}, Deadline::after(milliseconds(5))));
    EXPECT_FALSE(remote->put(bytes_of("in vain"), {}, WaitLimit::now()));
    EXPECT_EQ(remote->join(Deadline::after(milliseconds(5))), std::nullopt);
  });
  Fiber counter([&] {
    for (; others < 5; ++others) this_fiber::sleep_for(milliseconds(1));
  });
  consumer.join();
  EXPECT_EQ(others, 5);
}

TEST_P(RemoteFiberTest, request_to_stop_ends_a_wait) {
  const Channel local = make_channel();
  const auto remote = open(local);
  std::stop_source stop;
  const std::stop_token token = stop.get_token();
  Fiber stopped([&] { return get(*remote, WaitLimit(token)); });
  std::thread stopper([&] {
    wait_for_sleep();
    stop.request_stop();
  });
  EXPECT_EQ(stopped.join(), std::nullopt);
  stopper.join();
}

TEST_P(RemoteFiberTest, message_is_seen_although_others_always_run) {
  const Channel local = make_channel();
  const auto remote = open(local);
  bool is_over = false;
  Fiber busy([&] {
    while (!is_over) this_fiber::yield();
  });
  Fiber consumer([&] {
    for (int i = 0; i < 100; ++i) {
      put(*remote, std::to_string(i));
      EXPECT_EQ(get(*remote), std::to_string(i));
    }
    is_over = true;
  });
  busy.join();
}

TEST_P(RemoteFiberTest, end_of_the_thread_ends_whoever_waits) {
  const auto empty = open(make_channel());
  const Channel local = make_channel({.capacity = 1});
  const auto full = open(local);
  put(*full, "the only one");
  full->flush();
  const std::size_t ended = count_ended(
      [&] { get(*empty); }, [&] { get(*empty); }, [&] { empty->take(IntentKind::lease, WaitLimit::never()); },
      [&] { get(*empty, Deadline::after(std::chrono::hours(1))); },
      [&] { full->put(bytes_of("one too many"), {}, Deadline::after(std::chrono::hours(1))); },
      [&] { full->join(WaitLimit::never()); },
      [&] {
        const WaitLimit no_limit = WaitLimit::never();  // the batch keeps a reference
        RemotePutBatch batch(*full, no_limit);
        batch.put(bytes_of("one of a batch"), {});
        batch.finish();
      });
  EXPECT_EQ(ended, 7U);
  EXPECT_EQ(text_of(local.get()), "the only one");
  EXPECT_EQ(full->size(), 0U) << "what was not put is not put later";
}

TEST_P(RemoteFiberTest, end_of_the_thread_ends_whoever_puts_ahead) {
  const Channel local = make_channel({.capacity = 1});
  const auto remote = open(local);
  const auto put_on = [&] {
    while (true) put(*remote, "more");
  };
  const auto flush = [&] { remote->flush(); };
  EXPECT_EQ(count_ended(put_on, flush), 2U);
}

TEST_P(RemoteFiberTest, batch_of_a_fiber_that_was_ended_is_withdrawn) {
  const Channel local = make_channel({.capacity = 1});
  const auto remote = open(local);
  const auto put_many = [&] {
    const WaitLimit no_limit = WaitLimit::never();  // the batch keeps a reference
    RemotePutBatch batch(*remote, no_limit);
    for (const char* text : {"1", "2", "3"}) batch.put(bytes_of(text), {});
    batch.finish();
  };
  EXPECT_EQ(count_ended(put_many), 1U);
  EXPECT_EQ(text_of(local.get()), "1");
  put(*remote, "4");
  EXPECT_EQ(text_of(local.get()), "4");
}

TEST_P(RemoteFiberTest, message_for_a_fiber_that_was_ended_is_for_others) {
  const Channel local = make_channel();
  const auto remote = open(local);
  EXPECT_EQ(count_ended([&] { get(*remote); }), 1U);
  local.put(bytes_of("for anybody"));
  EXPECT_EQ(get(*remote), "for anybody");
  EXPECT_EQ(audit(home_->node.segment(), local.reference()), "");
}

}  // namespace
}  // namespace wyvern::test
