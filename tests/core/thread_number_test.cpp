#include <cstdint>
#include <future>
#include <numeric>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/thread_number.hpp>

namespace wyvern::test {
namespace {

std::uint32_t number_of_a_thread() {
  std::uint32_t number = no_thread_number;
  std::thread([&number] { number = thread_number(); }).join();
  return number;
}

/// A thread that has a number until it is told to end.
class NumberedThread {
 public:
  NumberedThread()
      : thread_([this] {
          number_.set_value(thread_number());
          end_.get_future().wait();
        }),
        known_(number_.get_future().get()) {}
  ~NumberedThread() {
    end_.set_value();
    thread_.join();
  }
  NumberedThread(const NumberedThread&) = delete;
  NumberedThread& operator=(const NumberedThread&) = delete;
  std::uint32_t number() const { return known_; }

 private:
  std::promise<std::uint32_t> number_;
  std::promise<void> end_;
  std::thread thread_;
  std::uint32_t known_;
};

TEST(ThreadNumber, thread_keeps_its_number) {
  const std::uint32_t mine = thread_number();
  EXPECT_NE(mine, no_thread_number);
  number_of_a_thread();
  EXPECT_EQ(thread_number(), mine);
}

TEST(ThreadNumber, threads_that_live_at_the_same_time_have_different_numbers) {
  const std::vector<NumberedThread> threads(20);
  std::set<std::uint32_t> numbers{thread_number()};
  for (const NumberedThread& thread : threads) numbers.insert(thread.number());
  EXPECT_EQ(numbers.size(), threads.size() + 1);
}

TEST(ThreadNumber, number_goes_to_a_later_thread_when_its_thread_has_ended) {
  thread_number();
  const std::uint32_t first = number_of_a_thread();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(number_of_a_thread(), first);
}

TEST(ThreadNumber, smallest_number_that_is_free_is_given_out) {
  thread_number();
  const NumberedThread low;
  std::uint32_t gap = 0;
  {
    const NumberedThread middle;
    gap = middle.number();
    const NumberedThread high;
    EXPECT_LT(low.number(), gap);
    EXPECT_LT(gap, high.number());
  }
  const NumberedThread next;
  EXPECT_EQ(next.number(), gap);
}

TEST(ThreadNumber, none_in_destructors_that_run_after_the_number_was_given_back) {
  static std::uint32_t seen = 0;
  struct AtThreadEnd {
    ~AtThreadEnd() { seen = thread_number(); }
  };
  std::thread([] {
    static thread_local const AtThreadEnd before_the_number;  // so it is destroyed after it
    static_cast<void>(&before_the_number);
    thread_number();
  }).join();
  EXPECT_EQ(seen, no_thread_number);
  const std::uint32_t next = number_of_a_thread();
  EXPECT_NE(next, no_thread_number);
  EXPECT_EQ(number_of_a_thread(), next) << "and no number is lost";
}

TEST(ThreadNumber, what_a_thread_did_comes_before_what_the_next_with_its_number_does) {
  // A plain variable for each number, as users of the numbers have: the thread sanitizer judges.
  std::vector<int> uses(100);
  std::vector<std::thread> starters;
  for (int i = 0; i < 3; ++i) {
    starters.emplace_back([&uses] {
      for (int round = 0; round < 100; ++round) {
        std::thread([&uses] { ++uses.at(thread_number()); }).join();
      }
    });
  }
  for (auto& starter : starters) starter.join();
  EXPECT_EQ(std::accumulate(uses.begin(), uses.end(), 0), 300);
}

}  // namespace
}  // namespace wyvern::test
