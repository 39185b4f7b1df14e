#include <cstdint>
#include <future>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "support/two_members.hpp"

namespace wyvern::test {
namespace {

class DeadLetters : public TwoMembers {
 protected:
  /// Leases a message `times` times in vain.
  template <class T>
  static void fail(Queue<T>& queue, int times) {
    for (int i = 0; i < times; ++i) {
      const auto lease = queue.try_lease();
      ASSERT_TRUE(lease);
    }
  }
};

TEST_F(DeadLetters, message_that_was_delivered_in_vain_too_often_goes_to_the_dead_letters) {
  auto dead = make<std::string>();
  for (const std::uint32_t most : {1U, 2U, 5U}) {
    auto queue = make<std::string>({.max_deliveries = most, .dead_letters = dead.channel()});
    queue.put("killer");
    queue.put("harmless");
    fail(queue, static_cast<int>(most) - 1);
    EXPECT_TRUE(dead.empty_approx());
    fail(queue, 1);
    EXPECT_EQ(dead.size_approx(), 1U);
    EXPECT_EQ(dead.get(), "killer");
    EXPECT_EQ(queue.get(), "harmless");
    EXPECT_FALSE(queue.try_lease());
    EXPECT_EQ(audit_of(queue), "");
    EXPECT_EQ(audit_of(dead), "");
  }
}

TEST_F(DeadLetters, death_of_holders_counts_as_deliveries_in_vain) {
  auto dead = make<int>();
  auto queue = make<int>({.max_deliveries = 2, .dead_letters = dead.channel()});
  queue.put(666);
  for (int i = 0; i < 2; ++i) {
    auto victim = node_.join();
    abandon(abandon(open_as(victim, queue)).lease());
    node_.bury(*victim);
  }
  EXPECT_FALSE(queue.try_get());
  EXPECT_EQ(dead.get(), 666);
}

TEST_F(DeadLetters, dead_letter_wakes_who_waits_for_it) {
  auto dead = make<int>();
  auto queue = make<int>({.max_deliveries = 1, .dead_letters = dead.channel()});
  auto undertaker =
      std::async(std::launch::async, [mine = open_as(other_, dead)]() mutable { return mine.get(); });
  wait_for_sleepers(dead, InterestKind::message);
  queue.put(4);
  fail(queue, 1);
  EXPECT_EQ(undertaker.get(), 4);
}

TEST_F(DeadLetters, large_payloads_move_to_memory_of_the_dead_letters) {
  auto dead = make<std::string>({.inline_size = 16});
  auto queue = make<std::string>({.inline_size = 512, .max_deliveries = 1, .dead_letters = dead.channel()});
  const std::vector<std::string> texts{std::string(300, 'a'), std::string(20'000, 'b'), ""};
  for (const auto& text : texts) {
    queue.put(text);
    fail(queue, 1);
  }
  EXPECT_EQ(bytes_outside(queue), 0U);
  EXPECT_EQ(dead.get_many(9), texts);
  EXPECT_EQ(bytes_outside(dead), 0U);
  EXPECT_EQ(audit_node(node_.segment()), "");
}

TEST_F(DeadLetters, handles_inside_dead_letters_stay_good) {
  auto dead = make<Queue<int>>();
  auto queue = make<Queue<int>>({.max_deliveries = 1, .dead_letters = dead.channel()});
  {
    auto inner = make<int>();
    inner.put(8);
    queue.put(inner);
  }
  fail(queue, 1);
  queue = {};
  node_.sweep();
  EXPECT_EQ(dead.get().get(), 8);
}

TEST_F(DeadLetters, they_wait_while_there_is_no_room_for_them) {
  auto dead = make<int>({.capacity = 1});
  auto queue = make<int>({.max_deliveries = 1, .dead_letters = dead.channel()});
  for (int i = 0; i < 3; ++i) {
    queue.put(i);
    fail(queue, 1);
  }
  queue.put(9);
  EXPECT_EQ(queue.get(), 9) << "they hold up nobody";
  EXPECT_FALSE(queue.try_lease()) << "and are not delivered";
  std::set<int> got;
  for (int i = 0; i < 3; ++i) {
    node_.sweep();
    EXPECT_EQ(dead.size_approx(), 1U);
    got.insert(dead.get());
  }
  EXPECT_EQ(got, (std::set{0, 1, 2}));
  node_.sweep();
  EXPECT_TRUE(dead.empty_approx());
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(DeadLetters, they_wait_while_there_is_no_memory_for_them) {
  auto dead = make<std::string>({.max_bytes = 4'096});
  auto queue = make<std::string>({.max_deliveries = 1, .dead_letters = dead.channel()});
  for (int i = 0; i < 2; ++i) {
    queue.put(std::string(3'000, 'x'));
    fail(queue, 1);
  }
  EXPECT_EQ(dead.size_approx(), 1U);
  dead.get();
  node_.sweep();
  EXPECT_EQ(dead.get().size(), 3'000U);
}

TEST_F(DeadLetters, they_are_lost_when_their_queue_is_closed) {
  auto dead = make<int>();
  auto queue = make<int>({.max_deliveries = 1, .dead_letters = dead.channel()});
  dead.close();
  queue.put(1);
  fail(queue, 1);
  EXPECT_FALSE(queue.try_get());
  EXPECT_THROW(dead.get(), QueueClosed);
  EXPECT_EQ(queue.join(), 1U) << "and count so";
  EXPECT_EQ(audit_of(queue), "");
}

TEST_F(DeadLetters, lease_on_a_closed_queue_ends_when_the_last_message_has_become_a_dead_letter) {
  auto dead = make<int>();
  auto queue = make<int>({.max_deliveries = 1, .dead_letters = dead.channel()});
  queue.put(1);
  queue.close();
  std::optional lease = queue.lease();
  std::jthread worker([mine = open_as(other_, queue)]() mutable { EXPECT_THROW(mine.lease(), QueueClosed); });
  wait_for_sleepers(queue, InterestKind::lease);
  lease.reset();
  worker.join();
  EXPECT_EQ(dead.get(), 1);
}

TEST_F(DeadLetters, dead_letters_can_be_leased_again_and_have_their_own) {
  auto last = make<int>();
  auto dead = make<int>({.max_deliveries = 2, .dead_letters = last.channel()});
  auto queue = make<int>({.max_deliveries = 1, .dead_letters = dead.channel()});
  queue.put(1);
  fail(queue, 1);
  EXPECT_EQ(dead.lease().delivery_count(), 0U) << "a new life";
  fail(dead, 1);
  EXPECT_EQ(last.get(), 1);
}

TEST_F(DeadLetters, their_queue_lives_as_long_as_the_one_that_names_it) {
  auto dead = make<int>();
  const ObjectReference reference = dead.channel().reference();
  auto queue = make<int>({.max_deliveries = 1, .dead_letters = dead.channel()});
  dead = {};
  node_.sweep();
  queue.put(3);
  fail(queue, 1);
  EXPECT_EQ(Queue<int>(other_, reference).get(), 3);
  queue = {};
  node_.sweep();
  EXPECT_THROW(Queue<int>(other_, reference), QueueLost);
}

TEST_F(DeadLetters, memory_of_both_queues_returns) {
  make<int>();
  make<int>();
  const std::uint64_t before = committed();
  {
    auto dead = make<int>();
    auto queue = make<int>({.max_deliveries = 1, .dead_letters = dead.channel()});
    queue.put(3);
    fail(queue, 1);
  }
  node_.sweep();
  EXPECT_EQ(committed(), before);
}

TEST_F(DeadLetters, queue_for_them_must_be_there_and_of_the_same_type) {
  auto texts = make<std::string>();
  EXPECT_THROW(make<int>({.max_deliveries = 1}), InvalidArgument);
  EXPECT_THROW(make<int>({.max_deliveries = 1, .dead_letters = texts.channel()}), TypeMismatch);
  EXPECT_THROW(make<int>({.max_deliveries = max_deliveries_counted + 1, .dead_letters = texts.channel()}),
               InvalidArgument);
  EXPECT_NO_THROW(
      make<std::string>({.max_deliveries = max_deliveries_counted, .dead_letters = texts.channel()}));
}

TEST_F(DeadLetters, most_deliveries_that_can_be_counted_are_kept) {
  auto dead = make<int>();
  auto queue = make<int>({.max_deliveries = max_deliveries_counted, .dead_letters = dead.channel()});
  queue.put(1);
  fail(queue, static_cast<int>(max_deliveries_counted) - 1);
  EXPECT_TRUE(dead.empty_approx());
  fail(queue, 1);
  EXPECT_EQ(dead.get(), 1);
}

}  // namespace
}  // namespace wyvern::test
