#include <sys/mman.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/core/fiber/fiber.hpp>
#include <wyvern/core/fiber/scheduler.hpp>
#include <wyvern/core/fiber/stack_pool.hpp>

namespace wyvern::test {
namespace {

using detail::Stack;
using detail::StackGuard;
using detail::StackPool;

class FiberStack : public ::testing::Test {
 protected:
  ~FiberStack() override { StackPool::use_guards_from(StackGuard::page_table); }
};

void fill(const Stack& stack) {
  for (std::byte* byte = stack.bottom + detail::stack_guard_bytes; byte < stack.top(); byte += 512)
    *byte = std::byte{1};
}

/// Calls itself so deep that any stack is too small. Not by a loop: the compiler sees through it.
[[gnu::noinline]] int dive(int depth) {
  volatile char frame[256];
  for (std::size_t i = 0; i < sizeof frame; ++i) frame[i] = static_cast<char>(depth + 1);
  if (depth < 0) return frame[0];
  return dive(depth + 1) + frame[128];
}

TEST_F(FiberStack, stacks_do_not_overlap_and_are_used_again) {
  StackPool pool;
  std::set<std::byte*> bottoms;
  std::vector<Stack> stacks;
  for (int i = 0; i < 200; ++i) {
    stacks.push_back(pool.take(StackPool::usual_bytes));
    fill(stacks.back());
    bottoms.insert(stacks.back().bottom);
  }
  EXPECT_EQ(bottoms.size(), stacks.size());
  for (const Stack& stack : stacks) pool.give_back(stack);
  EXPECT_EQ(pool.take(StackPool::usual_bytes).bottom, stacks.back().bottom);
}

/// Pages that are resident of a stack.
std::size_t resident_pages(const Stack& stack) {
  std::vector<unsigned char> pages(stack.bytes / 4096);
  EXPECT_EQ(::mincore(stack.bottom, stack.bytes, pages.data()), 0);
  return static_cast<std::size_t>(std::count(pages.begin(), pages.end(), 1));
}

TEST_F(FiberStack, pages_of_very_many_free_stacks_go_back_to_the_kernel) {
  StackPool pool;
  std::vector<Stack> stacks;
  for (int i = 0; i < 1100; ++i) {
    stacks.push_back(pool.take(StackPool::usual_bytes));
    *(stacks.back().top() - 1) = std::byte{1};
  }
  for (const Stack& stack : stacks) pool.give_back(stack);
  EXPECT_EQ(resident_pages(stacks.front()), 1U);
  EXPECT_EQ(resident_pages(stacks.back()), 0U);
  EXPECT_EQ(resident_pages(pool.take(StackPool::usual_bytes)), 1U) << "one that has its pages comes first";
}

TEST_F(FiberStack, size_is_what_was_asked_for_in_whole_pages) {
  StackPool pool;
  const Stack stack = pool.take(100'001);
  EXPECT_EQ(stack.bytes, 102'400U);
  fill(stack);
  pool.give_back(stack);
}

TEST_F(FiberStack, more_memory_than_there_are_addresses_is_out_of_memory) {
  StackPool pool;
  EXPECT_THROW(static_cast<void>(pool.take(std::size_t{1} << 60)), OutOfMemory);
}

TEST_F(FiberStack, overrun_of_a_stack_without_a_guard_is_seen_in_its_lowest_bytes) {
  StackPool::use_guards_from(StackGuard::zeros);
  StackPool pool;
  const Stack stack = pool.take(StackPool::usual_bytes);
  ASSERT_EQ(stack.guard, StackGuard::zeros);
  EXPECT_FALSE(was_overrun(stack));
  *stack.bottom = std::byte{1};
  EXPECT_TRUE(was_overrun(stack));
}

/// GoogleTest runs those whose name ends so first, while there is one thread.
class FiberStackDeathTest : public ::testing::TestWithParam<StackGuard> {};

/// What it says, unless a sanitizer has its own words.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr const char* overflow_message = "";
#else
constexpr const char* overflow_message = "a fiber has overflowed its stack of 131072 bytes; give it a larger";
#endif

TEST_P(FiberStackDeathTest, overflow_ends_the_program_with_a_message) {
  EXPECT_DEATH(
      {
        StackPool::use_guards_from(GetParam());
        Fiber([] { return dive(0); }).join();
      },
      overflow_message);
}
INSTANTIATE_TEST_SUITE_P(guards, FiberStackDeathTest,
                         ::testing::Values(StackGuard::page_table, StackGuard::mapping),
                         [](const auto& guard) {
                           return guard.param == StackGuard::mapping ? "mapping" : "page_table";
                         });

/// The overrun is small enough not to reach what is below, and is noticed when the fiber is suspended.
TEST(FiberStackOverrunDeathTest, overrun_without_a_guard_ends_the_program_with_a_message) {
  EXPECT_DEATH(
      {
        StackPool::use_guards_from(StackGuard::zeros);
        Fiber([] {
          *detail::FiberScheduler::running_stack()->bottom = std::byte{1};
          this_fiber::yield();
        }).join();
      },
      "a fiber has overflowed its stack of 131072 bytes; give it a larger");
}

TEST(FiberStackFaultDeathTest, other_faults_are_not_called_overflows) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers handle SIGSEGV themselves";
#endif
  EXPECT_EXIT(
      {
        Fiber([] { std::raise(SIGSEGV); }).join();
        std::exit(1);
      },
      ::testing::KilledBySignal(SIGSEGV), "^$");
}

}  // namespace
}  // namespace wyvern::test
