#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/fiber/fiber.hpp>

namespace wyvern::test {
namespace {

using namespace std::chrono_literals;
using Numbers = std::vector<int>;

Numbers up_to(int count) {
  Numbers numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

TEST(FiberSchedule, fiber_begins_when_its_maker_yields) {
  bool has_begun = false;
  Fiber fiber([&] { has_begun = true; });
  EXPECT_FALSE(has_begun);
  this_fiber::yield();
  EXPECT_TRUE(has_begun);
}

TEST(FiberSchedule, fibers_begin_in_the_order_in_which_they_were_made) {
  Numbers begun;
  std::vector<Fiber<>> fibers;
  for (int i = 0; i < 100; ++i) fibers.emplace_back([&begun, i] { begun.push_back(i); });
  for (auto& fiber : fibers) fiber.join();
  EXPECT_EQ(begun, up_to(100));
}

TEST(FiberSchedule, fibers_that_yield_run_in_turns_with_their_thread) {
  Numbers turns;
  const auto three_turns = [&turns](int who) {
    for (int i = 0; i < 3; ++i) {
      turns.push_back(who);
      this_fiber::yield();
    }
  };
  Fiber first(three_turns, 1);
  Fiber second(three_turns, 2);
  three_turns(0);
  EXPECT_EQ(turns, (Numbers{0, 1, 2, 0, 1, 2, 0, 1, 2}));
}

TEST(FiberSchedule, yield_alone_returns) {
  this_fiber::yield();
  Fiber([] {
    for (int i = 0; i < 1000; ++i) this_fiber::yield();
  }).join();
  this_fiber::yield();
}

TEST(FiberSchedule, fibers_make_fibers) {
  const auto sum_of_halves = [](const auto& self, int from, int to) -> int {
    if (to - from == 1) return from;
    const int middle = (from + to) / 2;
    Fiber lower(self, self, from, middle);
    Fiber upper(self, self, middle, to);
    return lower.join() + upper.join();
  };
  EXPECT_EQ(Fiber(sum_of_halves, sum_of_halves, 0, 500).join(), 499 * 500 / 2);
}

TEST(FiberSchedule, sleepers_wake_in_the_order_of_their_times) {
  const Numbers delays{5, 3, 1, 4, 2, 0};
  bool all_slept = false;
  for (auto first = 4ms; !all_slept; first *= 2) {  // a slow machine needs more time to make them
    Numbers woken;
    const auto start = std::chrono::steady_clock::now() + first;
    {
      std::vector<Fiber<>> fibers;
      for (const int delay : delays) {
        fibers.emplace_back([&woken, start, delay] {
          this_fiber::sleep_until(start + delay * 1ms);
          EXPECT_GE(std::chrono::steady_clock::now(), start + delay * 1ms);
          woken.push_back(delay);
        });
      }
      this_fiber::yield();
      all_slept = std::chrono::steady_clock::now() < start;
    }
    if (all_slept) {
      EXPECT_EQ(woken, up_to(6));
    }
  }
}

TEST(FiberSchedule, others_run_while_one_sleeps) {
  bool awake = false;
  Fiber sleeper([&] {
    this_fiber::sleep_for(5ms);
    awake = true;
  });
  int turns = 0;
  Fiber runner([&] {
    while (!awake) {
      ++turns;
      this_fiber::yield();
    }
  });
  runner.join();
  EXPECT_GT(turns, 1);
}

TEST(FiberSchedule, one_that_always_runs_does_not_keep_sleepers_asleep) {
  bool awake = false;
  Fiber sleeper([&] {
    this_fiber::sleep_for(1ms);
    awake = true;
  });
  std::vector<Fiber<>> busy;
  for (int i = 0; i < 3; ++i) {
    busy.emplace_back([&] {
      while (!awake) this_fiber::yield();
    });
  }
  for (auto& fiber : busy) fiber.join();
}

TEST(FiberSchedule, threads_without_fibers_yield_and_sleep_as_threads) {
  std::thread([] {
    this_fiber::yield();
    const auto start = std::chrono::steady_clock::now();
    this_fiber::sleep_for(2ms);
    this_fiber::sleep_for(-1s);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 2ms);
  }).join();
}

TEST(FiberSchedule, each_thread_has_fibers_of_its_own) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      const auto thread = std::this_thread::get_id();
      std::vector<Fiber<>> fibers;
      for (int i = 0; i < 20; ++i) {
        fibers.emplace_back([thread] {
          for (int turn = 0; turn < 50; ++turn) {
            EXPECT_EQ(std::this_thread::get_id(), thread);
            this_fiber::yield();
          }
        });
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace wyvern::test
