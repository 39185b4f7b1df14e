#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/channels/select.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/fiber/fiber.hpp>

#include "support/child.hpp"
#include "support/history.hpp"
#include "support/local_node.hpp"
#include "support/stamped.hpp"

// Who is woken when several select and get, in threads, fibers and processes, also when one dies.
namespace wyvern::test {
namespace {

constexpr auto nothing = [](auto&&) {};

class SelectWake : public ::testing::Test {
 protected:
  SelectWake() {
    for (const Queue<int>* const queue : {&first_, &second_}) node_.provide_ports(queue->channel(), 8);
  }
  static WaiterSet& getters(const Queue<int>& queue) {
    return queue.channel().local().view().header().getters;
  }
  std::uint32_t selecting() const { return sleepers(node_.segment(), InterestKind::several, 0); }
  std::uint32_t getting(const Queue<int>& queue) const {
    return sleepers(node_.segment(), InterestKind::message, queue.channel().reference().index);
  }
  /// Nobody is woken for it.
  static void put_unnoticed(const Queue<int>& queue, int value) {
    const std::uint64_t summary = getters(queue).summary.exchange(0);
    queue.put(value);
    getters(queue).summary = summary;
  }
  /// The next one who is woken for a message is that one, if it sleeps for it.
  void turn_to_who_selects(const Queue<int>& queue) {
    std::uint32_t parker = 0;
    while (interest_kind(node_.segment().parker(parker).interest) != InterestKind::several) ++parker;
    getters(queue).next = parker;
  }

  LocalNode node_;
  std::shared_ptr<Member> member_ = node_.join();
  Queue<int> first_ = make_queue<int>(member_);
  Queue<int> second_ = make_queue<int>(member_);
};

/// A thread's first select looks at its first queue first.
TEST_F(SelectWake, wake_for_a_message_that_select_does_not_take_goes_to_another_getter) {
  std::jthread getter([&] { EXPECT_EQ(second_.get(), 2); });
  wait_for([&] { return getting(second_) == 1; });
  std::jthread selecter([&] { EXPECT_EQ(select(on(first_, nothing), on(second_, nothing)), 0U); });
  wait_for([&] { return selecting() == 1; });
  put_unnoticed(first_, 1);
  turn_to_who_selects(second_);

  second_.put(2);
}

TEST_F(SelectWake, wake_that_meets_a_request_to_stop_is_not_lost) {
  std::stop_source stop;
  std::jthread getter([&] { EXPECT_EQ(second_.get(), 2); });
  wait_for([&] { return getting(second_) == 1; });
  std::jthread selecter([&] {
    const auto chosen = select(stop.get_token(), on(first_, nothing), on(second_, nothing));
    if (chosen) second_.put(2);  // it was in time
  });
  wait_for([&] { return selecting() == 1; });
  turn_to_who_selects(second_);
  std::jthread stopper([&] { stop.request_stop(); });

  second_.put(2);
}

TEST_F(SelectWake, wake_for_a_message_that_a_fiber_does_not_take_goes_to_the_next_fiber_and_thread) {
  for (const bool is_thread : {false, true}) {
    std::jthread getter;
    if (is_thread) {
      getter = std::jthread([&] { EXPECT_EQ(second_.get(), 2); });
      wait_for([&] { return getting(second_) == 1; });
    }
    std::jthread fibers([&] {
      Fiber selecter([&] { EXPECT_EQ(select(on(first_, nothing), on(second_, nothing)), 0U); });
      std::optional<Fiber<>> next;
      if (!is_thread) next.emplace([&] { EXPECT_EQ(second_.get(), 2); });
    });
    wait_for([&] { return selecting() == 1; });
    put_unnoticed(first_, 1);
    turn_to_who_selects(second_);

    second_.put(2);
  }
}

TEST_F(SelectWake, fibers_of_a_thread_select_side_by_side) {
  constexpr int each = 500;
  int sum = 0;
  std::vector<Fiber<>> selecters;
  for (int i = 0; i < 20; ++i) {
    selecters.emplace_back([&] {
      const auto add = [&](int value) { sum += value; };
      try {
        while (true) select(on(first_, add), on(second_, add));
      } catch (const QueueClosed&) {
      }
    });
  }
  {
    std::vector<Fiber<>> putters;
    for (const Queue<int>* const queue : {&first_, &second_}) {
      putters.emplace_back([queue] {
        for (int i = 0; i < each; ++i) {
          queue->put(i);
          if (i % 7 == 0) this_fiber::yield();
        }
        queue->close();
      });
    }
  }
  selecters.clear();
  EXPECT_EQ(sum, each * (each - 1));
}

TEST_F(SelectWake, threads_own_stack_selects_while_its_fibers_put) {
  Fiber putter([&] {
    this_fiber::yield();
    second_.put(5);
  });
  int got = 0;
  EXPECT_EQ(select(on(first_, nothing), on(second_, [&](int value) { got = value; })), 1U);
  EXPECT_EQ(got, 5);
}

TEST_F(SelectWake, fiber_that_is_ended_in_a_select_leaves_no_registration) {
  std::thread([&] {
    bool has_begun = false;
    Fiber([&] {
      has_begun = true;
      EXPECT_THROW(select(on(first_, nothing), on(second_, nothing)), FiberEnded);
    }).detach();
    while (!has_begun) this_fiber::yield();
  }).join();
  EXPECT_EQ(audit_node(node_.segment()), "");
  first_.put(1);
  EXPECT_EQ(first_.get(), 1);
}

TEST_F(SelectWake, process_that_dies_in_a_select_leaves_no_registration_and_owes_no_wake) {
  for (const bool was_woken : {false, true}) {
    const auto dead = node_.join();
    auto& mine = abandon(std::pair(open_as(dead, first_), open_as(dead, second_)));
    std::optional<int> got;
    Child child([&] {
      select(on(mine.first, nothing), on(mine.second, nothing));
      return 0;
    });
    wait_for([&] { return selecting() == 1 && child.sleeps(); });
    std::jthread getter([&] { got = second_.get(); });
    wait_for([&] { return getting(second_) == 1; });
    child.send(SIGSTOP);
    EXPECT_EQ(child.wait_until_stopped(), SIGSTOP);
    turn_to_who_selects(second_);

    if (was_woken) second_.put(3);
    child.send(SIGKILL);
    EXPECT_EQ(child.wait(), -SIGKILL);
    node_.bury(*dead);
    if (!was_woken) second_.put(3);
    getter.join();
    EXPECT_EQ(got, 3);
    EXPECT_EQ(audit_node(node_.segment()), "");
  }
}

TEST_F(SelectWake, select_that_nobody_woke_is_mended_by_a_sweep) {
  std::jthread selecter([&] { EXPECT_EQ(select(on(first_, nothing), on(second_, nothing)), 1U); });
  wait_for([&] { return selecting() == 1; });
  put_unnoticed(second_, 7);

  node_.sweep();
}

/// Selecters, getters and producers of several processes on three small queues.
TEST_F(SelectWake, each_message_arrives_once_and_in_order_whoever_selects_and_gets) {
  constexpr std::size_t queues = 3;
  constexpr std::size_t workers = 3;  // of each kind
  constexpr std::uint64_t messages = 2'000;
  std::vector<Channel> channels;
  std::vector<std::unique_ptr<History>> histories;
  for (std::size_t i = 0; i < queues; ++i) {
    channels.push_back(Channel::create(member_, {.capacity = 3}, raw_bytes_type_hash, raw_bytes_type_name));
    histories.push_back(std::make_unique<History>(3 * workers, workers * messages));
  }
  std::vector<std::jthread> consumers;
  std::vector<std::jthread> producers;
  struct Mine {
    std::vector<Channel> channels;
    std::vector<History::Writer> logs;
  };
  const auto worker = [&](auto work) {
    const auto member = node_.join();
    Mine mine;
    for (std::size_t i = 0; i < queues; ++i) {
      mine.channels.push_back(
          Channel::open(member, channels[i].reference(), raw_bytes_type_hash, raw_bytes_type_name));
      mine.logs.push_back(histories[i]->add(member->puid()));
    }
    return std::jthread([mine, work]() mutable {
      try {
        work(mine);
      } catch (const QueueClosed&) {
      }
    });
  };
  for (std::size_t i = 0; i < workers; ++i) {
    consumers.push_back(worker([](Mine& mine) {
      const auto note = [&mine](std::size_t which) {
        return [&log = mine.logs[which]](const std::vector<std::byte>& message) {
          log.got(read_stamped(message));
        };
      };
      while (true)
        select(on(mine.channels[0], note(0)), on(mine.channels[1], note(1)), on(mine.channels[2], note(2)));
    }));
    consumers.push_back(worker([i](Mine& mine) {
      while (true) mine.logs[i].got(read_stamped(mine.channels[i].get()));
    }));
    producers.push_back(worker([](Mine& mine) {
      for (std::uint64_t message = 0; message < messages; ++message) {
        for (std::size_t which = 0; which < queues; ++which) {
          mine.channels[which].put(make_stamped(mine.logs[which].begin_put(), sizeof(MessageId)));
          mine.logs[which].put_ended();
        }
      }
    }));
  }
  producers.clear();
  for (const Channel& channel : channels) channel.close();
  consumers.clear();
  for (std::size_t i = 0; i < queues; ++i) {
    EXPECT_EQ(histories[i]->problems(), "");
    EXPECT_EQ(histories[i]->total_got(), workers * messages);
    EXPECT_EQ(audit(node_.segment(), channels[i].reference()), "");
  }
  EXPECT_EQ(audit_node(node_.segment()), "");
}

}  // namespace
}  // namespace wyvern::test
