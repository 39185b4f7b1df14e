#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
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

#include "conformance.hpp"

// Select from queues, whichever way there is to them; one of the process's own node may be among them.
namespace wyvern::test {
namespace {

using std::chrono::milliseconds;

constexpr auto nothing = [](auto&&) {};

class ConformanceSelectTest : public Conformance {
 protected:
  /// What a thread has waited as a member for keeps that until the thread ends.
  static void in_a_thread(const std::function<void()>& body) { std::thread(body).join(); }
  /// A queue of the node of the process that is tested.
  template <class T>
  static Queue<T> make_near(const QueueOptions& options = {}) {
    return Queue<T>(Member::current(), options);
  }
};
INSTANTIATE_TEST_SUITE_P(Over, ConformanceSelectTest, all_ways(), way_name);

TEST_P(ConformanceSelectTest, message_that_is_there_is_taken_and_the_others_stay) {
  in_a_thread([&] {
    const auto numbers = make<int>();
    const auto words = make<std::string>();
    for (int i = 0; i < 3; ++i) {
      numbers.there.put(i);
      words.there.put(std::to_string(i));
    }
    std::vector<int> got_numbers;
    std::vector<std::string> got_words;
    for (int i = 0; i < 6; ++i) {
      select(on(numbers.here, [&](int number) { got_numbers.push_back(number); }),
             on(words.here, [&](std::string word) { got_words.push_back(std::move(word)); }));
      EXPECT_EQ(got_numbers.size() + got_words.size(), static_cast<std::size_t>(i) + 1);
    }
    EXPECT_EQ(got_numbers, (std::vector{0, 1, 2}));
    EXPECT_EQ(got_words, (std::vector<std::string>{"0", "1", "2"}));
    EXPECT_EQ(try_select(on(numbers.here, nothing), on(words.here, nothing)), std::nullopt);
  });
}

TEST_P(ConformanceSelectTest, message_that_comes_later_ends_the_wait) {
  in_a_thread([&] {
    const auto first = make<int>();
    const auto second = make<int>();
    const auto near = make_near<int>();
    const std::array<const Queue<int>*, 3> putters{&first.there, &second.there, &near};
    for (std::size_t which = 0; which < 30; ++which) {
      std::thread putter([&] { putters[which % 3]->put(static_cast<int>(which)); });
      std::size_t got = 0;
      const auto note = [&](int value) { got = static_cast<std::size_t>(value); };
      EXPECT_EQ(select(on(first.here, note), on(second.here, note), on(near, note)), which % 3);
      EXPECT_EQ(got, which);
      putter.join();
    }
  });
}

TEST_P(ConformanceSelectTest, message_that_was_not_taken_is_there_for_others) {
  in_a_thread([&] {
    const auto first = make<int>();
    const auto second = make<int>();
    for (int i = 0; i < 20; ++i) {
      first.there.put(2 * i);
      second.there.put(2 * i);
      second.there.put(2 * i + 1);
      const std::size_t chosen = select(on(first.here, nothing), on(second.here, nothing));
      if (chosen == 0) {
        EXPECT_EQ(second.there.get(), 2 * i);
      } else {
        EXPECT_EQ(first.there.get(), 2 * i);
      }
      EXPECT_EQ(second.there.get(), 2 * i + 1);
    }
    EXPECT_EQ(audit_of(first.there), "");
    EXPECT_EQ(audit_of(second.there), "");
  });
}

TEST_P(ConformanceSelectTest, queue_that_is_never_empty_keeps_nobody_from_another) {
  in_a_thread([&] {
    const auto far = make<int>();
    const auto further = make<int>();
    const auto near = make_near<int>();
    std::array<int, 3> taken{};
    for (int i = 0; i < 300; ++i) {
      for (const Queue<int>* const queue : {&far.there, &further.there, &near}) queue->try_put(i);
      ++taken.at(select(on(near, nothing), on(far.here, nothing), on(further.here, nothing)));
    }
    for (const int count : taken) EXPECT_GE(count, 60);
  });
}

TEST_P(ConformanceSelectTest, nothing_comes_in_time_and_what_comes_late_is_not_lost) {
  in_a_thread([&] {
    const auto [there, here] = make<int>();
    const auto near = make_near<int>();
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(try_select_for(milliseconds(1), on(here, nothing), on(near, nothing)), std::nullopt);
      there.put(i);
      EXPECT_EQ(here.get(), i);
    }
  });
}

TEST_P(ConformanceSelectTest, deadline_beside_a_producer_loses_and_doubles_nothing) {
  in_a_thread([&] {
    constexpr int messages = 2000;
    const auto [there, here] = make<int>({.capacity = 8});
    const auto near = make_near<int>();
    std::jthread producer([&queue = there] {
      for (int i = 0; i < messages; ++i) queue.put(i);
    });
    int next = 0;
    while (next < messages)
      try_select_for(std::chrono::microseconds(20), on(here, [&](int value) { EXPECT_EQ(value, next++); }),
                     on(near, nothing));
    EXPECT_EQ(here.try_get(), std::nullopt);
  });
}

TEST_P(ConformanceSelectTest, request_to_stop_ends_the_wait) {
  in_a_thread([&] {
    const auto [there, here] = make<int>();
    const auto near = make_near<int>();
    for (int i = 0; i < 10; ++i) {
      std::stop_source stop;
      std::jthread stopper([&] { stop.request_stop(); });
      EXPECT_EQ(select(stop.get_token(), on(here, nothing), on(near, nothing)), std::nullopt);
    }
    there.put(1);
    EXPECT_EQ(here.get(), 1);
  });
}

TEST_P(ConformanceSelectTest, closed_queues_are_passed_over_until_all_are) {
  in_a_thread([&] {
    const auto first = make<int>();
    const auto second = make<int>();
    first.there.put(1);
    first.there.close();
    EXPECT_EQ(select(on(first.here, nothing), on(second.here, nothing)), 0U);
    EXPECT_EQ(try_select(on(first.here, nothing), on(second.here, nothing)), std::nullopt);
    EXPECT_EQ(try_select_for(milliseconds(1), on(first.here, nothing), on(second.here, nothing)),
              std::nullopt);
    std::thread closer([&queue = second.there] {
      queue.put(2);
      queue.close();
    });
    EXPECT_EQ(select(on(first.here, nothing), on(second.here, nothing)), 1U);
    EXPECT_THROW(select(on(first.here, nothing), on(second.here, nothing)), QueueClosed);
    closer.join();
  });
}

TEST_P(ConformanceSelectTest, leases_are_selected_beside_messages) {
  in_a_thread([&] {
    const auto tasks = make<int>();
    const auto control = make<std::string>();
    tasks.there.put(5);
    EXPECT_EQ(select(on_lease(tasks.here, nothing), on(control.here, nothing)), 0U);
    std::uint32_t deliveries = 0;
    EXPECT_EQ(select(on(control.here, nothing), on_lease(tasks.here,
                                                         [&](Lease<int> task) {
                                                           EXPECT_EQ(*task, 5);
                                                           deliveries = task.delivery_count();
                                                           task.done();
                                                         })),
              1U);
    EXPECT_EQ(deliveries, 1U);
    EXPECT_EQ(try_select(on_lease(tasks.here, nothing)), std::nullopt);
    EXPECT_EQ(tasks.there.join(), 0U);
  });
}

TEST_P(ConformanceSelectTest, what_was_prefetched_is_selected_in_order) {
  in_a_thread([&] {
    constexpr int messages = 500;
    const auto [there, here] = make<int>({.capacity = 16, .prefetch = 8});
    const auto near = make_near<int>();
    std::jthread producer([&queue = there, &near] {
      for (int i = 0; i < messages; ++i) {
        queue.put(i);
        near.put(i);
      }
      queue.close();
      near.close();
    });
    int next = 0;
    int next_near = 0;
    for (int i = 0; i < 2 * messages; ++i)
      select(on(here, [&](int value) { EXPECT_EQ(value, next++); }),
             on(near, [&](int value) { EXPECT_EQ(value, next_near++); }));
    EXPECT_EQ(next, messages);
    EXPECT_EQ(next_near, messages);
    EXPECT_THROW(select(on(here, nothing), on(near, nothing)), QueueClosed);
  });
}

TEST_P(ConformanceSelectTest, large_messages_come_whole_and_go_back_whole) {
  in_a_thread([&] {
    const auto first = make<std::string>();
    const auto second = make<std::string>();
    const std::string large(300'000, 'x');
    for (int i = 0; i < 10; ++i) {
      first.there.put(large);
      second.there.put(large);
      for (int n = 0; n < 2; ++n) {
        std::string got;
        const auto note = [&](std::string value) { got = std::move(value); };
        select(on(first.here, note), on(second.here, note));
        EXPECT_EQ(got, large);
      }
    }
  });
}

TEST_P(ConformanceSelectTest, fibers_and_threads_share_the_queues_they_select_from) {
  in_a_thread([&] {
    constexpr std::size_t messages = 1000;
    const auto far = make<std::size_t>({.capacity = 64});
    const auto near = make_near<std::size_t>({.capacity = 64});
    std::array<std::atomic<int>, 2 * messages> seen{};
    const auto consume = [&] {
      try {
        while (true)
          select(on(far.here, [&](std::size_t value) { ++seen.at(value); }),
                 on(near, [&](std::size_t value) { ++seen.at(messages + value); }));
      } catch (const QueueClosed&) {
      }
    };
    std::vector<std::jthread> threads;
    threads.emplace_back(consume);
    threads.emplace_back(consume);
    threads.emplace_back([&] {
      std::vector<Fiber<>> fibers;
      for (int i = 0; i < 10; ++i) fibers.emplace_back(consume);
    });
    std::thread getter([&queue = far.there, &seen] {
      try {
        while (true) ++seen.at(queue.get());
      } catch (const QueueClosed&) {
      }
    });
    for (std::size_t i = 0; i < messages; ++i) {
      far.there.put(i);
      near.put(i);
    }
    far.there.close();
    near.close();
    threads.clear();
    getter.join();
    // What was on its way back when the queue had ended for all others comes to who asks again.
    wait_for([&] {
      try {
        while (const auto left = far.there.try_get()) ++seen.at(*left);
      } catch (const QueueClosed&) {
      }
      return std::ranges::none_of(seen, [](const auto& count) { return count == 0; });
    });
    for (const auto& count : seen) EXPECT_EQ(count, 1);
  });
}

}  // namespace
}  // namespace wyvern::test
