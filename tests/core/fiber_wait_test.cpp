#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <numeric>
#include <stop_token>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/exit_wait.hpp>
#include <wyvern/core/fiber/completions.hpp>
#include <wyvern/core/fiber/suspension.hpp>
#include <wyvern/core/first_of.hpp>
#include <wyvern/core/signal.hpp>

#include "counted_kept_back.hpp"
#include "fiber_scene.hpp"
#include "support/child.hpp"

namespace wyvern::test {
namespace {

using namespace std::chrono_literals;

class FiberWait : public ::testing::Test {
 protected:
  /// A place in shared memory.
  Tokens& new_tokens() { return *new (node_.segment().at(node_.arena().allocate(sizeof(Tokens)))) Tokens{}; }
  void until_asleep() {
    until([&] { return parkers_in_state(node_.segment(), parker_asleep) == 1; });
  }

  CoreNode node_;
  std::shared_ptr<Member> member_ = node_.join();
  Tokens& tokens_ = new_tokens();
};

TEST_F(FiberWait, fiber_that_waits_lets_the_others_run) {
  bool taken = false;
  Fiber taker([&] { taken = tokens_.take(member_); });
  this_fiber::yield();
  EXPECT_FALSE(taken);
  tokens_.put(node_.segment());
  taker.join();
  EXPECT_TRUE(taken);
  EXPECT_FALSE(tokens_.has_registrations());
}

TEST_F(FiberWait, threads_own_stack_waits_as_a_fiber_does) {
  Fiber putter([&] {
    this_fiber::yield();
    tokens_.put(node_.segment());
  });
  EXPECT_TRUE(tokens_.take(member_));
}

/// Where nobody has to poll for anything.
class NoCompletions final : public detail::Completions {
 public:
  void poll() noexcept override {}
  void rest() noexcept override {}
  void hand_over() noexcept override {}
  void take_back() noexcept override {}
};

TEST_F(FiberWait, thread_that_waits_for_several_things_does_so_as_a_fiber_when_its_last_fiber_has_ended) {
  NoCompletions completions;
  {
    const FirstOf first(member_);
    Fiber([] {}).join();
    EXPECT_TRUE(detail::Suspension(member_, completions).is_of_fiber());
    { const FirstOf second(member_); }
    EXPECT_TRUE(detail::Suspension(member_, completions).is_of_fiber());
  }
  EXPECT_FALSE(detail::Suspension(member_, completions).is_of_fiber());
}

TEST_F(FiberWait, condition_that_holds_is_seen_without_a_wait) {
  tokens_.put(node_.segment());
  EXPECT_TRUE(Fiber([&] { return tokens_.take(member_); }).join());
  EXPECT_EQ(tokens_.waiters.summary, 0U);
}

TEST_F(FiberWait, thread_sends_what_was_kept_back_before_it_sleeps) {
  CountedKeptBack kept_back(*member_);
  Fiber taker([&] { EXPECT_TRUE(tokens_.take(member_)); });
  Fiber keeper([&] { kept_back.keep_back(); });
  std::thread putter([&] {
    until_asleep();
    tokens_.put(node_.segment());
  });
  taker.join();
  putter.join();
  EXPECT_EQ(kept_back.sent, 1);
}

TEST_F(FiberWait, deadline_bounds_a_wait_in_vain) {
  Fiber taker([&] {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_FALSE(tokens_.take(member_, Deadline::after(3ms)));
    EXPECT_GE(std::chrono::steady_clock::now() - start, 3ms);
  });
  Fiber without_time([&] { EXPECT_FALSE(tokens_.take(member_, Deadline::now())); });
  taker.join();
  EXPECT_FALSE(tokens_.has_registrations());
}

TEST_F(FiberWait, tokens_go_to_fibers_in_the_order_in_which_they_wait) {
  std::vector<int> order;
  std::vector<Fiber<>> fibers;
  for (int i = 0; i < 50; ++i) {
    fibers.emplace_back([&, i] {
      tokens_.take(member_);
      order.push_back(i);
    });
  }
  this_fiber::yield();
  for (std::size_t puts = 1; puts <= 50; ++puts) {
    tokens_.put(node_.segment());
    while (order.size() < puts) this_fiber::yield();
  }
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(FiberWait, thread_sleeps_when_no_fiber_can_go_on_and_is_woken_for_one_of_them) {
  Tokens& other = new_tokens();
  std::jthread thread([&] {
    Fiber in_vain([&] { EXPECT_FALSE(other.take(member_)); });
    Fiber taker([&] { EXPECT_TRUE(tokens_.take(member_)); });
    taker.join();
    other.close(node_.segment());
  });
  until_asleep();
  tokens_.put(node_.segment());
}

TEST_F(FiberWait, another_process_wakes_a_fiber) {
  Tokens& answers = new_tokens();
  Child child([&] {
    const auto member = node_.join();
    for (int i = 0; i < 100; ++i) {
      if (!tokens_.take(member)) return 1;
      answers.put(node_.segment());
    }
    return 0;
  });
  Fiber idle([&] { EXPECT_FALSE(tokens_.take(member_, Deadline::now())); });
  Fiber asker([&] {
    for (int i = 0; i < 100; ++i) {
      tokens_.put(node_.segment());
      EXPECT_TRUE(answers.take(member_));
      if (i % 10 == 0) this_fiber::sleep_for(1ms);
    }
  });
  asker.join();
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(FiberWait, put_wakes_the_right_one_among_many) {
  std::vector<Tokens> places(many_fibers);
  std::vector<int> taken(many_fibers);
  std::vector<Fiber<>> fibers;
  for (std::size_t i = 0; i < many_fibers; ++i) {
    fibers.emplace_back([&, i] {
      while (places[i].take(member_)) ++taken[i];
    });
  }
  this_fiber::yield();
  for (const std::size_t i : {std::size_t{0}, many_fibers / 2, many_fibers - 1, std::size_t{17}}) {
    const int before = taken[i];
    places[i].put(node_.segment());
    while (taken[i] == before) this_fiber::yield();
  }
  EXPECT_EQ(std::accumulate(taken.begin(), taken.end(), 0), 4);
  for (Tokens& place : places) place.close(node_.segment());
}

TEST_F(FiberWait, close_wakes_all_that_wait_at_one_place) {
  std::size_t ends = 0;
  std::vector<Fiber<>> fibers;
  for (std::size_t i = 0; i < many_fibers; ++i) {
    fibers.emplace_back([&] {
      EXPECT_FALSE(tokens_.take(member_));
      ++ends;
    });
  }
  this_fiber::yield();
  EXPECT_EQ(ends, 0U);
  std::jthread([&] { tokens_.close(node_.segment()); }).join();
  fibers.clear();
  EXPECT_EQ(ends, many_fibers);
  EXPECT_FALSE(tokens_.has_registrations());
}

/// As join() does: nobody passes a wake on.
TEST_F(FiberWait, one_signal_wakes_all_whose_condition_holds) {
  std::atomic<bool> done = false;
  std::vector<Fiber<>> fibers;
  for (int i = 0; i < 100; ++i) {
    fibers.emplace_back([&] {
      wait_until(
          member_, make_interest(InterestKind::tasks_done, 1), &tokens_.waiters, [&] { return done.load(); },
          WaitLimit::never());
    });
  }
  this_fiber::yield();
  done = true;
  tokens_.waiters.wake_all(node_.segment());
}

TEST_F(FiberWait, conditions_of_one_set_are_told_apart_by_their_interest) {
  std::atomic<int> size = 0;
  std::vector<int> order;
  const auto wait_for = [&](int wanted) {
    wait_until(
        member_, make_interest(InterestKind::payload_room, static_cast<std::uint64_t>(wanted)),
        &tokens_.waiters, [&size, wanted] { return size.load() >= wanted; }, WaitLimit::never());
    order.push_back(wanted);
  };
  std::vector<Fiber<>> fibers;
  for (const int wanted : {3, 1, 2, 1}) fibers.emplace_back(wait_for, wanted);
  this_fiber::yield();
  for (int now = 1; now <= 3; ++now) {
    size = now;
    tokens_.waiters.wake_all(node_.segment());
    while (order.size() < static_cast<std::size_t>(now) + 1) this_fiber::yield();
  }
  EXPECT_EQ(order, (std::vector<int>{1, 1, 2, 3}));
}

TEST_F(FiberWait, stop_request_ends_a_wait_from_any_thread) {
  std::stop_source here;
  std::stop_source elsewhere;
  const std::stop_token here_token = here.get_token();
  const std::stop_token elsewhere_token = elsewhere.get_token();
  Fiber first([&] { EXPECT_FALSE(tokens_.take(member_, WaitLimit(here_token))); });
  Fiber second([&] { EXPECT_FALSE(tokens_.take(member_, WaitLimit(elsewhere_token))); });
  this_fiber::yield();
  here.request_stop();
  first.join();
  std::jthread stopper([&] {
    until_asleep();
    elsewhere.request_stop();
  });
  second.join();
  EXPECT_FALSE(tokens_.has_registrations());
}

TEST_F(FiberWait, stop_requests_that_race_with_the_end_of_a_wait_leave_nothing) {
  for (int round = 0; round < 200; ++round) {
    std::stop_source source;
    const std::stop_token token = source.get_token();
    std::jthread stopper([&] { source.request_stop(); });
    Fiber taker([&] { tokens_.take(member_, WaitLimit(token)); });
    Fiber putter([&] { tokens_.put(node_.segment()); });
    taker.join();
    putter.join();
    tokens_.count = 0;
  }
  EXPECT_FALSE(tokens_.has_registrations());
}

TEST_F(FiberWait, exit_of_a_process_and_a_new_name_wake_fibers) {
  SegmentHeader& header = node_.segment().header();
  node_.arena().commit_table(header.exit_records_offset, sizeof(std::uint64_t), header.exit_records_ready, 1,
                             max_exit_records);
  node_.segment().exit_record(0) = make_exit_record(ExitPhase::running, 0);
  std::jthread thread([&] {
    Fiber joiner([&] { EXPECT_EQ(wait_for_exit(member_, 0, Deadline::never()), 3); });
    Fiber searcher([&] {
      EXPECT_TRUE(wait_for_name_change(member_, 0, Deadline::never()));
      EXPECT_TRUE(wait_for_name_change(member_, 0, Deadline::never()));
    });
    searcher.join();
  });
  until_asleep();
  header.name_changes = 1;
  wake_who_waits_for_names(node_.segment());
  node_.segment().exit_record(0) = make_exit_record(ExitPhase::exited, 3);
  wake_who_waits_for_exit(node_.segment(), 0);
}

TEST_F(FiberWait, fibers_that_wait_for_any_of_several_processes_wake_for_theirs) {
  SegmentHeader& header = node_.segment().header();
  constexpr std::uint32_t processes = 4;
  node_.arena().commit_table(header.exit_records_offset, sizeof(std::uint64_t), header.exit_records_ready,
                             processes, max_exit_records);
  for (std::uint32_t i = 0; i < processes; ++i)
    node_.segment().exit_record(i) = make_exit_record(ExitPhase::running, 0);
  std::jthread thread([&] {
    const auto wait_for_one_of = [&](std::uint32_t first, std::size_t place) {
      const std::array<std::uint32_t, 2> sequences{first, first + 1};
      EXPECT_EQ(wait_for_any_exit(member_, sequences, WaitLimit::never()), place);
    };
    Fiber first([&] { wait_for_one_of(0, 1); });
    Fiber second([&] { wait_for_one_of(2, 0); });
    second.join();
    first.join();
  });
  until_asleep();
  for (const std::uint32_t sequence : {2U, 1U}) {
    node_.segment().exit_record(sequence) = make_exit_record(ExitPhase::exited, 0);
    wake_who_waits_for_exit(node_.segment(), sequence);
  }
}

TEST_F(FiberWait, sweep_that_does_not_know_for_whom_makes_all_look) {
  std::atomic<bool> done = false;
  std::jthread thread([&] {
    Fiber([&] {
      wait_until(
          member_, make_interest(InterestKind::message, 1), &tokens_.waiters, [&] { return done.load(); },
          WaitLimit::never());
    }).join();
  });
  until_asleep();
  done = true;  // by somebody who was stopped before it woke anybody
  for (std::uint32_t i = 0; i < max_parkers; ++i) {
    ParkerCell& cell = node_.segment().parker(i);
    if (cell.takes_signals == 0) continue;
    set_all_signals(cell);
    notify(cell);
  }
}

TEST_F(FiberWait, wake_that_comes_to_who_leaves_is_passed_on) {
  // It is signalled between its last look and its leaving.
  Fiber leaver([&] {
    int looks = 0;
    const WaitResult result = wait_until(
        member_, make_interest(InterestKind::message, 1), &tokens_.waiters,
        [&] {
          if (++looks == 2) tokens_.waiters.wake_one(node_.segment());
          return false;
        },
        Deadline::after(1ms));
    EXPECT_FALSE(result.ready);
    EXPECT_TRUE(result.notified);
  });
}

TEST_F(FiberWait, thread_waits_as_before_when_its_fibers_have_ended) {
  std::atomic<bool> fibers_have_ended = false;
  std::jthread thread([&] {
    Fiber([&] { EXPECT_FALSE(tokens_.take(member_, Deadline::after(1ms))); }).join();
    fibers_have_ended = true;
    EXPECT_TRUE(tokens_.take(member_));
  });
  until([&] { return fibers_have_ended.load(); });
  until_asleep();
  tokens_.put(node_.segment());
}

TEST_F(FiberWait, fibers_of_one_thread_wait_as_one_member) {
  const auto other = node_.join();
  Fiber taker([&] { EXPECT_TRUE(tokens_.take(member_)); });
  this_fiber::yield();
  EXPECT_THROW(tokens_.take(other), InvalidArgument);
  tokens_.put(node_.segment());
  taker.join();
}

TEST_F(FiberWait, every_token_is_taken_by_fibers_and_threads_whoever_is_woken) {
  constexpr std::uint64_t in_all = 20'000;
  std::atomic<std::uint64_t> taken = 0;
  const auto take_all = [&] {
    while (tokens_.take(member_)) ++taken;
  };
  std::vector<std::jthread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      std::vector<Fiber<>> fibers;
      for (int i = 0; i < 10; ++i) fibers.emplace_back(take_all);
    });
  }
  threads.emplace_back(take_all);
  for (std::uint64_t i = 0; i < in_all; ++i) {
    tokens_.put(node_.segment());
    if (i % 64 == 0) until([&] { return tokens_.count == 0; });  // so that they fall asleep again and again
  }
  until([&] { return taken == in_all; });  // by wakes alone: a lost one would hang here
  tokens_.close(node_.segment());
  threads.clear();
  EXPECT_FALSE(tokens_.has_registrations());
}

}  // namespace
}  // namespace wyvern::test
