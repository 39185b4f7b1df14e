#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "fiber_scene.hpp"
#include "support/child.hpp"

namespace wyvern::test {
namespace {

using namespace std::chrono_literals;

class FiberEnd : public ::testing::Test {
 protected:
  /// Blocks until it is ended, and says that it was.
  void wait_for_ever(const std::string& name) {
    try {
      tokens_.take(member_);
      ADD_FAILURE() << name << " was given a token";
    } catch (const FiberEnded& error) {
      EXPECT_EQ(error.code(), ErrorCode::fiber_ended);
      ended_.push_back(name);
      throw;
    }
  }

  CoreNode node_;
  std::shared_ptr<Member> member_ = node_.join();
  Tokens tokens_{};
  std::vector<std::string> ended_;
};

TEST_F(FiberEnd, fibers_blocked_at_the_end_of_their_thread_end_in_the_order_in_which_they_were_made) {
  std::thread([&] {
    for (const char* name : {"first", "second", "third"})
      Fiber([this, name] { wait_for_ever(name); }).detach();
    this_fiber::yield();
  }).join();
  EXPECT_EQ(ended_, (std::vector<std::string>{"first", "second", "third"}));
  EXPECT_FALSE(tokens_.has_registrations());
  EXPECT_EQ(node_.segment().parker(0).owner, 0U) << "the thread's place is free for others";
}

TEST_F(FiberEnd, sleep_yield_and_join_are_ended_as_well) {
  const auto ended_by = [this](const std::string& name, auto block) {
    try {
      block();
    } catch (const FiberEnded&) {
      ended_.push_back(name);
    }
  };
  std::thread([&] {
    Fiber([&] { ended_by("sleep", [] { this_fiber::sleep_for(1h); }); }).detach();
    Fiber([&] {
      ended_by("join", [&] {
        Fiber inner([&] { wait_for_ever("joined"); });
        inner.join();
      });
    }).detach();
    Fiber([&] {
      ended_by("yield", [] {
        while (true) this_fiber::yield();
      });
    }).detach();
    for (int i = 0; i < 3; ++i) this_fiber::yield();
    EXPECT_TRUE(ended_.empty());
  }).join();
  EXPECT_EQ(ended_.size(), 4U);
}

TEST_F(FiberEnd, fiber_that_has_not_begun_does_not_begin) {
  const auto argument = std::make_shared<int>(0);
  std::thread([&] { Fiber([argument] { ++*argument; }).detach(); }).join();
  EXPECT_EQ(*argument, 0);
  EXPECT_EQ(argument.use_count(), 1) << "it has let go of what it had";
}

TEST_F(FiberEnd, fiber_that_is_ended_can_block_no_more_and_make_none) {
  std::thread([&] {
    Fiber([&] {
      EXPECT_THROW(wait_for_ever("first"), FiberEnded);
      EXPECT_THROW(wait_for_ever("second"), FiberEnded);
      EXPECT_THROW(Fiber([] {}), FiberEnded);
      EXPECT_FALSE(tokens_.take(member_, WaitLimit::now())) << "what does not block goes on";
    }).detach();
    this_fiber::yield();
  }).join();
  EXPECT_EQ(ended_.size(), 2U);
}

TEST_F(FiberEnd, wake_of_a_fiber_that_is_ended_goes_to_another_thread) {
  for (int i = 0; i < 20; ++i) {  // whoever of the two is woken
    bool taken = false;
    std::thread other;
    std::thread([&] {
      Fiber([&] { EXPECT_THROW(tokens_.take(member_), FiberEnded); }).detach();
      this_fiber::yield();
      other = std::thread([&] { taken = tokens_.take(member_); });
      until([&] { return parkers_in_state(node_.segment(), parker_asleep) == 1; });
      tokens_.put(node_.segment());
    }).join();
    other.join();
    EXPECT_TRUE(taken);
  }
}

TEST_F(FiberEnd, handle_that_outlives_the_thread_has_no_fiber) {
  std::optional<Fiber<int>> ended;
  std::optional<Fiber<>> blocked;
  std::thread([&] {
    ended.emplace([] { return 1; });
    blocked.emplace([&] { wait_for_ever("blocked"); });
    this_fiber::yield();
  }).join();
  EXPECT_FALSE(ended->joinable());
  EXPECT_FALSE(blocked->joinable());
  EXPECT_EQ(ended_, std::vector<std::string>{"blocked"});
}

/// In a process of its own, whose main thread ends by exit().
TEST_F(FiberEnd, end_of_the_main_thread_ends_its_fibers) {
  Child child([&] {
    struct Witness {
      ~Witness() { ::_exit(42); }
    };
    Fiber([&] {
      const Witness witness;
      wait_for_ever("main");
    }).detach();
    this_fiber::yield();
    std::exit(1);
    return 0;
  });
  EXPECT_EQ(child.wait(), 42);
}

TEST_F(FiberEnd, exit_in_a_fiber_ends_what_the_thread_itself_waits_for) {
  static Tokens* tokens = nullptr;
  tokens = &tokens_;
  Child child([&] {
    Fiber([&] {
      std::atexit([] { ::_exit(tokens->has_registrations() ? 44 : 43); });
      std::exit(1);
    }).detach();
    tokens_.take(member_);
    return 0;
  });
  EXPECT_EQ(child.wait(), 43);
}

TEST_F(FiberEnd, exit_in_a_fiber_ends_the_others_and_the_process) {
  Child child([&] {
    Fiber([&] { wait_for_ever("other"); }).detach();
    Fiber([&] {
      std::atexit([] { ::_exit(43); });
      std::exit(1);
    }).join();
    return 0;
  });
  EXPECT_EQ(child.wait(), 43);
}

}  // namespace
}  // namespace wyvern::test
