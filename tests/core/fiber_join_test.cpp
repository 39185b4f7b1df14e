#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/core/fiber/fiber.hpp>

namespace wyvern::test {
namespace {

TEST(FiberJoin, join_returns_what_the_function_returned) {
  EXPECT_EQ(Fiber([] { return 7; }).join(), 7);
  EXPECT_EQ(Fiber([](const std::string& text) { return text + "!"; }, "now").join(), "now!");
  EXPECT_EQ(*Fiber([](std::unique_ptr<int> number) { return number; }, std::make_unique<int>(3)).join(), 3);
}

TEST(FiberJoin, function_gets_copies_of_its_arguments) {
  std::string text = "before";
  Fiber fiber([](const std::string& copy) { return copy; }, text);
  text = "after";
  EXPECT_EQ(fiber.join(), "before");
}

TEST(FiberJoin, join_of_one_that_has_ended_returns_at_once) {
  Fiber fiber([] { return 1; });
  this_fiber::yield();
  EXPECT_EQ(fiber.join(), 1);
}

TEST(FiberJoin, join_throws_what_the_function_threw) {
  Fiber fiber([]() -> int { throw std::out_of_range("too far"); });
  EXPECT_THROW(fiber.join(), std::out_of_range);
  EXPECT_FALSE(fiber.joinable());
}

TEST(FiberJoin, exception_that_nobody_joins_for_is_dropped) {
  {
    const Fiber fiber([] { throw std::runtime_error("unheard"); });
  }
  Fiber detached_later([] { throw std::runtime_error("unheard"); });
  this_fiber::yield();
  detached_later.detach();
}

TEST(FiberJoin, join_is_once) {
  Fiber fiber([] {});
  fiber.join();
  EXPECT_THROW(fiber.join(), InvalidArgument);
  EXPECT_THROW(fiber.detach(), InvalidArgument);
  EXPECT_THROW(Fiber<>().join(), InvalidArgument);
}

TEST(FiberJoin, fiber_cannot_join_itself) {
  std::optional<Fiber<>> fiber;
  fiber.emplace([&fiber] { EXPECT_THROW(fiber->join(), InvalidArgument); });
  fiber->join();
}

TEST(FiberJoin, fiber_that_destroys_its_own_handle_goes_on) {
  auto fiber = std::make_unique<Fiber<>>();
  bool gone_on = false;
  *fiber = Fiber<>([&] {
    fiber.reset();
    this_fiber::yield();
    gone_on = true;
  });
  while (!gone_on) this_fiber::yield();
}

TEST(FiberJoin, handle_that_another_fiber_joins_is_refused_to_a_second) {
  Fiber slow([] {
    for (int i = 0; i < 3; ++i) this_fiber::yield();
  });
  Fiber joiner([&slow] { slow.join(); });
  this_fiber::yield();
  EXPECT_THROW(slow.join(), InvalidArgument);
  joiner.join();
}

TEST(FiberJoin, handle_of_another_thread_is_refused) {
  Fiber fiber([] { return 5; });
  std::thread([&fiber] {
    EXPECT_THROW(fiber.join(), InvalidArgument);
    EXPECT_THROW(fiber.detach(), InvalidArgument);
  }).join();
  EXPECT_EQ(fiber.join(), 5);
}

TEST(FiberJoin, handle_moves_with_its_fiber) {
  Fiber first([] { return 1; });
  Fiber moved = std::move(first);
  EXPECT_FALSE(first.joinable());  // NOLINT(bugprone-use-after-move): it is to be empty
  EXPECT_TRUE(moved.joinable());
  int ends = 0;
  Fiber other([&ends] { return ++ends; });
  other = std::move(moved);
  EXPECT_EQ(ends, 1) << "what it was is joined first";
  EXPECT_EQ(other.join(), 1);
}

TEST(FiberJoin, destructor_joins) {
  int ends = 0;
  {
    std::vector<Fiber<>> fibers;
    for (int i = 0; i < 10; ++i) {
      fibers.emplace_back([&ends] {
        this_fiber::yield();
        ++ends;
      });
    }
  }
  EXPECT_EQ(ends, 10);
}

TEST(FiberJoin, destructor_joins_while_an_exception_unwinds) {
  int ends = 0;
  EXPECT_THROW(
      {
        Fiber fiber([&ends] {
          try {
            this_fiber::yield();
            throw std::logic_error("inside");
          } catch (const std::logic_error&) {
            this_fiber::yield();
            ++ends;
          }
        });
        throw std::runtime_error("outside");
      },
      std::runtime_error);
  EXPECT_EQ(ends, 1);
}

TEST(FiberJoin, fibers_handle_exceptions_side_by_side) {
  const auto handle = [](int number) {
    for (int round = 0; round < 20; ++round) {
      try {
        throw number;
      } catch (int) {
        for (int turn = 0; turn <= number; ++turn) this_fiber::yield();
        try {
          throw;
        } catch (int again) {
          EXPECT_EQ(again, number);
          EXPECT_EQ(std::uncaught_exceptions(), 0);
        }
      }
    }
  };
  std::vector<Fiber<>> fibers;
  for (int number = 0; number < 5; ++number) fibers.emplace_back(handle, number);
}

TEST(FiberJoin, detached_fiber_goes_on) {
  const auto shared = std::make_shared<int>(0);
  Fiber fiber([shared] {
    this_fiber::yield();
    ++*shared;
  });
  fiber.detach();
  EXPECT_FALSE(fiber.joinable());
  while (*shared == 0) this_fiber::yield();
  while (shared.use_count() > 1) this_fiber::yield();  // it ends, and lets go of what it had
}

TEST(FiberJoin, function_and_arguments_end_with_the_fiber_not_with_its_handle) {
  const auto argument = std::make_shared<int>(1);
  Fiber fiber([](const std::shared_ptr<int>& number) { return *number; }, argument);
  EXPECT_EQ(argument.use_count(), 2);
  this_fiber::yield();
  EXPECT_EQ(argument.use_count(), 1);
  EXPECT_EQ(fiber.join(), 1);
}

TEST(FiberJoin, arguments_that_cannot_be_copied_leave_nothing) {
  struct Unwilling {
    Unwilling() = default;
    Unwilling(const Unwilling& /*other*/) { throw std::runtime_error("no copies"); }
  };
  const Unwilling unwilling;
  EXPECT_THROW(Fiber([](const Unwilling&) {}, unwilling), std::runtime_error);
  EXPECT_EQ(Fiber([] { return 2; }).join(), 2) << "its stack is there for the next one";
}

TEST(FiberJoin, what_does_not_fit_on_a_stack_is_refused) {
  EXPECT_THROW(Fiber(FiberOptions{.stack_bytes = 1024}, [] {}), InvalidArgument);
  struct Large {
    char bytes[64 << 10];
  };
  const auto large = std::make_unique<Large>();
  EXPECT_THROW(Fiber([](const Large&) {}, *large), InvalidArgument);
  EXPECT_EQ(Fiber(
                FiberOptions{.stack_bytes = 1 << 20}, [](const Large&) { return 4; }, *large)
                .join(),
            4);
}

}  // namespace
}  // namespace wyvern::test
