#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/parker.hpp>
#include <wyvern/core/wait.hpp>
#include <wyvern/core/waiter_set.hpp>

#include "core_node.hpp"
#include "counted_kept_back.hpp"

namespace wyvern::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t interest = make_interest(InterestKind::message, 7);

template <class Condition>
void until(Condition&& condition) {
  while (!condition()) std::this_thread::yield();
}

class Waiting : public ::testing::Test {
 protected:
  std::uint32_t in_state(ParkerState state) const {
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < max_parkers; ++i) count += node_.segment().parker(i).state.load() == state;
    return count;
  }

  CoreNode node_;
  std::shared_ptr<Member> member_ = node_.join();
  WaiterSet set_{};
};

TEST_F(Waiting, sends_first_what_was_kept_back) {
  CountedKeptBack kept_back(*member_);
  bool was_sent_before = false;
  const auto ready = [&] {
    was_sent_before = kept_back.sent == 1;
    return true;
  };
  kept_back.keep_back();
  wait_until(member_, interest, &set_, ready, WaitLimit::now());
  EXPECT_EQ(kept_back.sent, 0) << "who does not wait goes on";
  wait_until(member_, interest, &set_, ready, Deadline::never());
  EXPECT_TRUE(was_sent_before);
  wait_until(member_, interest, &set_, ready, Deadline::never());
  EXPECT_EQ(kept_back.sent, 1);
}

/// One that takes tokens as a consumer takes messages: waits, takes, and passes on a wake that it did not
/// use.
class TokenTaker {
 public:
  TokenTaker(std::shared_ptr<Member> member, WaiterSet& set, std::atomic<int>& tokens,
             std::atomic<int>& taken)
      : thread_([=, &set, &tokens, &taken](std::stop_token stop) {
          while (true) {
            const auto ready = [&] { return tokens.load() > 0 || stop.stop_requested(); };
            const WaitResult result = wait_until(member, interest, &set, ready, Deadline::never());
            int seen = tokens.load();
            if (seen > 0 && tokens.compare_exchange_strong(seen, seen - 1)) ++taken;
            if (result.notified && tokens.load() > 0) set.wake_one(member->segment());
            if (stop.stop_requested()) return;
          }
        }) {}

  void request_stop() { thread_.request_stop(); }

 private:
  std::jthread thread_;
};

TEST_F(Waiting, interest_keeps_its_parts) {
  EXPECT_EQ(interest_kind(interest), InterestKind::message);
  EXPECT_EQ(interest_number(make_interest(InterestKind::name, (std::uint64_t{1} << 56) - 1)),
            (std::uint64_t{1} << 56) - 1);
}

TEST_F(Waiting, condition_that_holds_is_seen_without_a_parker) {
  EXPECT_TRUE(wait_until(
                  member_, interest, &set_, [] { return true; }, Deadline::now())
                  .ready);
  EXPECT_TRUE(wait_until(
                  member_, interest, &set_, [] { return true; }, Deadline::never())
                  .ready);
  EXPECT_EQ(set_.summary, 0U);
}

TEST_F(Waiting, deadline_bounds_a_wait_in_vain) {
  for (const auto duration : {0us, 1us, 500us, 20'000us}) {
    const auto start = std::chrono::steady_clock::now();
    const WaitResult result = wait_until(
        member_, interest, &set_, [] { return false; }, Deadline::after(duration));
    EXPECT_FALSE(result.ready);
    EXPECT_FALSE(result.notified);
    EXPECT_GE(std::chrono::steady_clock::now() - start, duration);
  }
  EXPECT_EQ(in_state(parker_asleep), 0U);
}

TEST_F(Waiting, who_leaves_is_not_registered_any_more) {
  wait_until(
      member_, interest, &set_, [] { return false; }, Deadline::after(1ms));
  EXPECT_FALSE(set_.has(Parker::mine(member_).index()));
}

TEST_F(Waiting, sleeper_is_woken_for_its_condition) {
  std::atomic<bool> condition = false;
  std::jthread waiter([&] {
    EXPECT_TRUE(wait_until(
                    member_, interest, &set_, [&] { return condition.load(); }, Deadline::never())
                    .ready);
  });
  until([&] { return in_state(parker_asleep) == 1; });

  condition = true;
  set_.wake_one(node_.segment());
}

TEST_F(Waiting, parker_of_a_thread_is_free_for_others_when_it_ends) {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  std::thread([&] { first = Parker::mine(member_).index(); }).join();
  EXPECT_EQ(node_.segment().parker(first).owner, 0U);
  std::thread([&] { second = Parker::mine(member_).index(); }).join();
  EXPECT_EQ(first, second);
}

TEST_F(Waiting, more_parkers_than_there_are_is_out_of_memory) {
  std::vector<std::unique_ptr<Parker>> parkers;
  for (std::uint32_t i = 0; i < max_parkers; ++i) parkers.push_back(std::make_unique<Parker>(member_));

  EXPECT_THROW(Parker{member_}, OutOfMemory);
  parkers.pop_back();
  EXPECT_NO_THROW(Parker{member_});
}

TEST_F(Waiting, one_of_many_is_woken) {
  std::vector<std::unique_ptr<Parker>> parkers;
  for (int i = 0; i < 100; ++i) {
    parkers.push_back(std::make_unique<Parker>(member_));
    set_.add(parkers.back()->index());
    parkers.back()->prepare(interest);
  }

  set_.wake_one(node_.segment());

  EXPECT_EQ(in_state(parker_notified), 1U);
  EXPECT_EQ(in_state(parker_asleep), 99U);
}

TEST_F(Waiting, wakes_rotate_among_all_waiters) {
  std::vector<std::unique_ptr<Parker>> parkers;
  for (int i = 0; i < 200; ++i) {
    parkers.push_back(std::make_unique<Parker>(member_));
    set_.add(parkers.back()->index());
  }
  for (int round = 0; round < 3; ++round) {
    std::set<std::uint32_t> woken;
    for (std::size_t i = 0; i < parkers.size(); ++i) {
      for (auto& parker : parkers) parker->prepare(interest);  // all sleep again
      set_.wake_one(node_.segment());
      for (auto& parker : parkers) {
        if (parker->finish()) woken.insert(parker->index());
      }
    }
    EXPECT_EQ(woken.size(), parkers.size()) << "each one had its turn";
  }
}

TEST_F(Waiting, wake_all_wakes_all) {
  std::vector<std::unique_ptr<Parker>> parkers;
  for (int i = 0; i < 130; ++i) {
    parkers.push_back(std::make_unique<Parker>(member_));
    set_.add(parkers.back()->index());
    parkers.back()->prepare(interest);
  }
  set_.next = 70;

  set_.wake_all(node_.segment());

  EXPECT_EQ(in_state(parker_notified), 130U);
}

TEST_F(Waiting, waiter_that_is_awake_is_passed_over) {
  Parker awake(member_);
  Parker asleep(member_);
  set_.add(awake.index());
  set_.add(asleep.index());
  asleep.prepare(interest);

  set_.wake_one(node_.segment());

  EXPECT_TRUE(asleep.finish());
  EXPECT_FALSE(awake.finish());
}

TEST_F(Waiting, a_parker_is_claimed_once) {
  Parker parker(member_);
  ParkerCell& cell = node_.segment().parker(parker.index());
  EXPECT_FALSE(notify(cell)) << "it is awake";
  parker.prepare(interest);
  EXPECT_TRUE(notify(cell));
  EXPECT_FALSE(notify(cell));
  EXPECT_TRUE(parker.finish());
  EXPECT_FALSE(parker.finish());
}

TEST_F(Waiting, waiter_that_was_claimed_while_it_timed_out_says_so) {
  std::jthread waiter([&] {
    // Claimed between its last look and its leaving, as the deadline passes.
    auto claimed_at_the_end = [&, looks = 0]() mutable {
      Parker& parker = Parker::mine(member_);
      if (++looks > 1 && node_.segment().parker(parker.index()).state == parker_asleep)
        set_.wake_one(node_.segment());
      return false;
    };
    const WaitResult result = wait_until(member_, interest, &set_, claimed_at_the_end, Deadline::after(1ms));
    EXPECT_FALSE(result.ready);
    EXPECT_TRUE(result.notified) << "the wake is not lost: it is to be passed on";
  });
}

TEST_F(Waiting, tidy_clears_the_summary_over_empty_words) {
  Parker parker(member_);
  set_.add(parker.index());
  EXPECT_FALSE(set_.tidy());
  EXPECT_NE(set_.summary, 0U) << "somebody is registered";

  set_.remove(parker.index());
  EXPECT_FALSE(set_.tidy());

  EXPECT_EQ(set_.summary, 0U);
  set_.add(parker.index());
  parker.prepare(interest);
  set_.wake_one(node_.segment());
  EXPECT_TRUE(parker.finish());
}

TEST_F(Waiting, every_token_is_taken_whoever_is_woken) {
  constexpr int tokens_in_all = 20'000;
  std::atomic<int> tokens = 0;
  std::atomic<int> taken = 0;
  std::vector<std::unique_ptr<TokenTaker>> takers;
  for (int i = 0; i < 4; ++i) takers.push_back(std::make_unique<TokenTaker>(member_, set_, tokens, taken));
  std::jthread tidier([&](std::stop_token stop) {  // as the agent's sweep does
    while (!stop.stop_requested()) {
      if (set_.tidy() && tokens > 0) set_.wake_one(node_.segment());
    }
  });

  for (int i = 0; i < tokens_in_all; ++i) {
    ++tokens;
    set_.wake_one(node_.segment());
    if (i % 64 == 0) until([&] { return tokens == 0; });  // so that they fall asleep again and again
  }
  until([&] { return taken == tokens_in_all; });  // by wakes alone: a lost one would hang here

  for (auto& taker : takers) taker->request_stop();
  set_.wake_all(node_.segment());
  until([&, wakes = 0]() mutable {
    set_.wake_all(node_.segment());
    return ++wakes > 1 && in_state(parker_asleep) == 0;
  });
}

}  // namespace
}  // namespace wyvern::test
