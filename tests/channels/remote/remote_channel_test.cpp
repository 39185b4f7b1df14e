#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/channels/remote/remote_batch.hpp>
#include <wyvern/core/error.hpp>

#include "remote_channel_scene.hpp"
#include "support/local_node.hpp"
#include "transport/pattern.hpp"

// A process on one node works on a queue of another, over a real provider: threads, deadlines, deaths.
namespace wyvern::test {
namespace {

using std::chrono::milliseconds;

INSTANTIATE_TEST_SUITE_P(Over, RemoteChannelTest, ::testing::Values("tcp", "net"), path_name);

TEST_P(RemoteChannelTest, messages_go_both_ways_in_order) {
  const Channel local = make_channel();
  const auto remote = open(local);
  for (int i = 0; i < 1000; ++i) {
    put(*remote, std::to_string(i));
    EXPECT_EQ(text_of(local.get()), std::to_string(i));
    local.put(bytes_of("answer " + std::to_string(i)));
    EXPECT_EQ(get(*remote), "answer " + std::to_string(i));
  }
  EXPECT_EQ(audit(home_->node.segment(), local.reference()), "");
}

TEST_P(RemoteChannelTest, terms_are_those_of_the_queue) {
  const Channel local = make_channel({.capacity = 7, .name = "results"});
  const auto remote = open(local);
  EXPECT_EQ(remote->terms().capacity, 7U);
  EXPECT_EQ(remote->terms().name, "results");
  EXPECT_EQ(open(local), remote) << "one opening a process";
}

TEST_P(RemoteChannelTest, queue_that_is_not_there_is_lost) {
  EXPECT_THROW(RemoteChannel::open(*access_, {.id = ObjectId::make(0, 1, 999), .index = 5}), QueueLost);
}

TEST_P(RemoteChannelTest, put_with_a_limit_says_whether_there_was_room) {
  const Channel local = make_channel({.capacity = 1});
  const auto remote = open(local);
  EXPECT_TRUE(remote->put(bytes_of("first"), {}, WaitLimit::now()));
  EXPECT_FALSE(remote->put(bytes_of("second"), {}, WaitLimit::now()));
  EXPECT_FALSE(remote->put(bytes_of("third"), {}, Deadline::after(milliseconds(30))));
  EXPECT_EQ(text_of(local.get()), "first");
  EXPECT_TRUE(remote->put(bytes_of("fourth"), {}, Deadline::after(std::chrono::seconds(20))));
  EXPECT_EQ(text_of(local.get()), "fourth");
  EXPECT_EQ(local.try_get(), std::nullopt);
}

TEST_P(RemoteChannelTest, get_with_a_limit_says_whether_there_was_a_message) {
  const Channel local = make_channel();
  const auto remote = open(local);
  EXPECT_EQ(get(*remote, WaitLimit::now()), std::nullopt);
  EXPECT_EQ(get(*remote, Deadline::after(milliseconds(30))), std::nullopt);
  local.put(bytes_of("here"));
  EXPECT_EQ(get(*remote, WaitLimit::now()), "here");
  local.put(bytes_of("again"));
  EXPECT_EQ(get(*remote, Deadline::after(std::chrono::seconds(20))), "again");
}

TEST_P(RemoteChannelTest, get_that_is_stopped_takes_nothing) {
  const Channel local = make_channel();
  const auto remote = open(local);
  std::stop_source stop;
  std::thread stopper([&] {
    std::this_thread::sleep_for(milliseconds(30));
    stop.request_stop();
  });
  const std::stop_token token = stop.get_token();
  EXPECT_EQ(get(*remote, WaitLimit(token)), std::nullopt);
  stopper.join();
  put(*remote, "for somebody else");
  EXPECT_EQ(text_of(local.get()), "for somebody else");
}

TEST_P(RemoteChannelTest, short_waits_lose_no_message) {
  const Channel local = make_channel();
  const auto remote = open(local);
  constexpr int messages = 300;
  std::thread producer([&] {
    for (int i = 0; i < messages; ++i) {
      local.put(bytes_of(std::to_string(i)));
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  });
  for (int i = 0; i < messages;) {
    const auto text = get(*remote, Deadline::after(std::chrono::microseconds(150)));
    if (!text) continue;
    EXPECT_EQ(*text, std::to_string(i));
    ++i;
  }
  producer.join();
}

TEST_P(RemoteChannelTest, threads_that_wait_side_by_side_are_all_served) {
  const Channel local = make_channel();
  const auto remote = open(local);
  constexpr int threads = 16;
  constexpr int each = 50;
  std::atomic<int> sum = 0;
  std::vector<std::thread> consumers;
  for (int i = 0; i < threads; ++i) {
    consumers.emplace_back([&] {
      for (int n = 0; n < each; ++n) sum += std::stoi(*get(*remote));
    });
  }
  EXPECT_EQ(get(*open(make_channel()), WaitLimit::now()), std::nullopt) << "nobody is held up by them";
  for (int i = 0; i < threads * each; ++i) local.put(bytes_of(std::to_string(i)));
  for (std::thread& consumer : consumers) consumer.join();
  EXPECT_EQ(sum, threads * each * (threads * each - 1) / 2);
}

TEST_P(RemoteChannelTest, threads_that_put_side_by_side_keep_their_order) {
  const Channel local = make_channel({.capacity = 16});
  const auto remote = open(local);
  constexpr int threads = 8;
  constexpr int each = 500;
  std::vector<std::thread> producers;
  for (int i = 0; i < threads; ++i) {
    producers.emplace_back([&, i] {
      for (int n = 0; n < each; ++n) put(*remote, std::to_string(i) + " " + std::to_string(n));
    });
  }
  std::vector<int> next(threads);
  for (int i = 0; i < threads * each; ++i) {
    const std::string text = text_of(local.get());
    const int who = text[0] - '0';
    EXPECT_EQ(text.substr(2), std::to_string(next[static_cast<std::size_t>(who)]++));
  }
  for (std::thread& producer : producers) producer.join();
}

TEST_P(RemoteChannelTest, flush_means_that_all_is_in_the_queue) {
  const Channel local = make_channel();
  const auto remote = open(local);
  for (int i = 0; i < 100; ++i) put(*remote, "x");
  remote->flush();
  EXPECT_EQ(local.size_approx(), 100U);
  EXPECT_EQ(remote->size(), 100U);
}

TEST_P(RemoteChannelTest, messages_that_were_put_before_the_queue_is_let_go_arrive) {
  const Channel local = make_channel({.capacity = 4});
  {
    const auto remote = open(local);
    for (int i = 0; i < 50; ++i) put(*remote, std::to_string(i));
  }
  for (int i = 0; i < 50; ++i) EXPECT_EQ(text_of(local.get()), std::to_string(i));
}

TEST_P(RemoteChannelTest, messages_that_a_process_has_not_asked_for_go_back_when_it_leaves) {
  const Channel local = make_channel({.prefetch = 32});
  const auto remote = open(local);
  for (int i = 0; i < 40; ++i) local.put(bytes_of(std::to_string(i)));
  EXPECT_EQ(get(*remote), "0");
  access_->leave();
  for (int i = 1; i < 40; ++i) EXPECT_EQ(text_of(local.get()), std::to_string(i));
  EXPECT_THROW(get(*remote), NodeLost);
}

TEST_P(RemoteChannelTest, message_of_a_get_that_came_to_its_limit_goes_back_with_the_handle) {
  const Channel local = make_channel();
  for (int i = 0; i < 30; ++i) {
    auto remote = open(local);
    std::thread putter([&] { local.put(bytes_of("one")); });
    const auto got = get(*remote, Deadline::after(std::chrono::microseconds(50)));
    remote = nullptr;
    putter.join();
    EXPECT_EQ(got ? *got : text_of(local.get()), "one");
  }
}

TEST_P(RemoteChannelTest, close_ends_both_sides) {
  const Channel local = make_channel();
  const auto remote = open(local);
  std::thread waiting([&] { EXPECT_THROW(get(*remote), QueueClosed); });
  remote->close();
  waiting.join();
  EXPECT_THROW(local.put(bytes_of("late")), QueueClosed);
  EXPECT_THROW(remote->put(bytes_of("late"), {}, WaitLimit::now()), QueueClosed);
  EXPECT_THROW(get(*remote, WaitLimit::now()), QueueClosed);
  remote->close();
}

TEST_P(RemoteChannelTest, puts_ahead_that_are_turned_back_are_told) {
  const Channel local = make_channel({.capacity = 1});
  const auto remote = open(local);
  for (int i = 0; i < 10; ++i) put(*remote, std::to_string(i));
  wait_for([&] { return local.size_approx() == 1; });
  local.close();
  expect_turned_back(*remote, 9);
  EXPECT_THROW(remote->put(bytes_of("more"), {}, WaitLimit::never()), QueueClosed);
}

TEST_P(RemoteChannelTest, lease_is_done_or_comes_back) {
  const Channel local = make_channel();
  const auto remote = open(local);
  put(*remote, "one");
  {
    const auto lease = remote->take(IntentKind::lease, WaitLimit::never());
    ASSERT_TRUE(lease);
    EXPECT_EQ(lease->delivery_count(), 0U);
  }
  auto again = remote->take(IntentKind::lease, WaitLimit::never());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->delivery_count(), 1U);
  EXPECT_EQ(text_of(again->bytes()), "one");
  again->done();
  EXPECT_THROW(again->done(), LeaseLost);
  EXPECT_EQ(local.join(), 0U);
}

TEST_P(RemoteChannelTest, large_messages_go_both_ways) {
  const Channel local = make_channel();
  const auto remote = open(local);
  const Bytes large = pattern(5'000'000);
  EXPECT_TRUE(remote->put(large, {}, WaitLimit::never()));
  EXPECT_EQ(local.get(), large);
  local.put(large);
  const auto message = remote->take(IntentKind::get, WaitLimit::never());
  ASSERT_TRUE(message);
  EXPECT_TRUE(std::ranges::equal(message->bytes(), large));
}

TEST_P(RemoteChannelTest, message_that_can_never_fit_is_refused) {
  const auto remote = open(make_channel({.max_bytes = 512, .inline_size = 64}));
  EXPECT_THROW(remote->put(Bytes(1000), {}, WaitLimit::never()), TooLarge);
}

TEST_P(RemoteChannelTest, tasks_are_joined_from_both_sides) {
  const Channel local = make_channel();
  const auto remote = open(local);
  put(*remote, "one");
  put(*remote, "two");
  remote->flush();
  EXPECT_EQ(remote->join(Deadline::after(milliseconds(20))), std::nullopt);
  {
    const auto message = remote->take(IntentKind::get, WaitLimit::never());
    remote->task_done();  // while it is still read
  }
  EXPECT_THROW(remote->task_done(), InvalidArgument);
  local.get();
  local.task_done();
  EXPECT_EQ(remote->join(WaitLimit::never()), 0U);
  EXPECT_EQ(local.join(), 0U);
}

TEST_P(RemoteChannelTest, batches_of_two_threads_that_meet_a_close_count_what_went_in) {
  const Channel local = make_channel({.capacity = 4});
  const auto remote = open(local);
  std::atomic<std::size_t> went_in = 0;
  const auto put_batch = [&] {
    const WaitLimit no_limit = WaitLimit::never();  // the batch keeps a reference
    RemotePutBatch batch(*remote, no_limit);
    for (int i = 0; i < 100 && batch.put(bytes_of("one of a hundred"), {}); ++i) continue;
    try {
      went_in += batch.finish();
    } catch (const QueueClosed&) {
      // None of this thread's went in.
    }
  };
  std::thread one(put_batch);
  std::thread another(put_batch);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(text_of(local.get()), "one of a hundred");
  wait_for([&] { return local.size_approx() == 4; });
  local.close();
  one.join();
  another.join();
  EXPECT_EQ(went_in, 54U);
  EXPECT_NO_THROW(remote->flush()) << "who put them knows of all that were turned back";
}

TEST_P(RemoteChannelTest, everything_ends_when_the_node_is_lost) {
  const Channel local = make_channel();
  const auto remote = open(local);
  std::thread waiting([&] { EXPECT_THROW(get(*remote), NodeLost); });
  home_->stop();
  waiting.join();
  EXPECT_THROW(put(*remote, "late"), NodeLost);
  EXPECT_THROW(remote->size(), NodeLost);
}

TEST_P(RemoteChannelTest, batches_of_one_process_share_the_window) {
  const Channel local = make_channel({.capacity = 1});
  const auto remote = open(local);
  const WaitLimit no_limit = WaitLimit::never();
  RemotePutBatch first(*remote, no_limit);
  for (int i = 0; i < 64; ++i) EXPECT_TRUE(first.put(bytes_of("first"), {}));
  const WaitLimit soon = Deadline::after(std::chrono::milliseconds(20));
  RemotePutBatch second(*remote, soon);
  EXPECT_TRUE(second.put(bytes_of("second"), {})) << "one of each batch may be under way";
  EXPECT_FALSE(second.put(bytes_of("second"), {}));
  EXPECT_EQ(second.finish(), 0U);
  std::thread consumer([&] {
    for (int i = 0; i < 64; ++i) EXPECT_EQ(text_of(local.get()), "first");
  });
  EXPECT_EQ(first.finish(), 64U);
  consumer.join();
}

TEST_P(RemoteChannelTest, flush_that_is_stopped_leaves_what_it_waits_for_as_it_is) {
  const Channel local = make_channel({.capacity = 1});
  const auto remote = open(local);
  put(*remote, "1");
  put(*remote, "2");
  std::stop_source stop;
  const std::stop_token token = stop.get_token();
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(remote->flush(WaitLimit(token)));
  EXPECT_EQ(text_of(local.get()), "1");
  EXPECT_TRUE(remote->flush());
  EXPECT_EQ(text_of(local.get()), "2");
}

TEST_P(RemoteChannelTest, put_with_a_limit_ends_with_the_loss_of_a_home_that_does_not_say_what_became_of_it) {
  const auto remote = open(make_channel());
  home_->stand_still();
  const WaitLimit soon = Deadline::after(std::chrono::milliseconds(1));
  {
    RemotePutBatch batch(*remote, soon);
    batch.put(bytes_of("of a batch"), {});
    EXPECT_THROW(batch.finish(), NodeLost);
  }
  EXPECT_THROW(remote->put(bytes_of("alone"), {}, soon), NodeLost);
  home_->go_on();
}

class SilentHomeTest : public RemoteChannelTest {
 protected:
  SilentHomeTest() : RemoteChannelTest(64, patient) {}
};
INSTANTIATE_TEST_SUITE_P(Over, SilentHomeTest, ::testing::Values("tcp", "net"), path_name);

TEST_P(SilentHomeTest, is_waited_for_no_longer_than_the_first_request_allows) {
  home_->stand_still();
  EXPECT_EQ(access_->ask_agent(1, bytes_of("request"), Deadline::after(std::chrono::milliseconds(1))),
            std::nullopt);
  std::stop_source stop;
  const std::stop_token token = stop.get_token();
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_EQ(access_->ask_agent(1, bytes_of("request"), WaitLimit(token)), std::nullopt);
  home_->go_on();
  EXPECT_THROW(access_->ask_agent(1, bytes_of("request"), WaitLimit::never()), InvalidArgument)
      << "it serves queues and nothing else";
}

class AnsweredPutsTest : public RemoteChannelTest {
 protected:
  AnsweredPutsTest() : RemoteChannelTest(0) {}
};
INSTANTIATE_TEST_SUITE_P(Over, AnsweredPutsTest, ::testing::Values("tcp"), path_name);

TEST_P(AnsweredPutsTest, put_returns_when_it_is_in_the_queue) {
  const Channel local = make_channel();
  const auto remote = open(local);
  for (int i = 0; i < 100; ++i) {
    put(*remote, std::to_string(i));
    EXPECT_EQ(text_of(*local.try_get()), std::to_string(i));
  }
}

}  // namespace
}  // namespace wyvern::test
