#include <cstdint>
#include <cstring>
#include <deque>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include <wyvern/channels/ring_operations.hpp>
#include <wyvern/channels/settle.hpp>

#include "support/local_node.hpp"

namespace wyvern::test {
namespace {

/// A ring with a few ports that the test works with itself: each put's message is a number.
class RingTest : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  void SetUp() override {
    for (std::uint32_t number = 0; number < first_ports; ++number) {
      auto& owner = view_.port(number).owner;
      owner = PortOwner(owner).claimed_by(member_->process_index()).bits();
    }
  }
  std::uint32_t capacity() const { return GetParam(); }
  BorrowedPort port(std::uint32_t number) const { return {&view_.port(number), number}; }

  RingOutcome put(std::uint64_t message, std::uint32_t with = 0) {
    const BorrowedPort borrowed = port(with);
    std::memcpy(RingView::inline_payload(view_.block(borrowed.spare().block())), &message, sizeof message);
    return ring::put(view_, borrowed);
  }
  RingOutcome get(std::uint64_t& message, std::uint32_t with = 1) {
    const BorrowedPort borrowed = port(with);
    const RingOutcome outcome = ring::take(view_, borrowed, IntentKind::get);
    std::memcpy(&message, RingView::inline_payload(view_.block(borrowed.spare().block())), sizeof message);
    return outcome;
  }
  void expect_get(std::uint64_t expected) {
    std::uint64_t message = ~expected;
    ASSERT_EQ(get(message), RingOutcome::done);
    ASSERT_EQ(message, expected);
  }
  void expect_nothing() {
    std::uint64_t message = 0;
    EXPECT_EQ(get(message), RingOutcome::empty);
  }
  void close() { view_.header().closing = 1; }

  /// As if that many laps had gone before.
  void start_at_lap(std::uint64_t lap) {
    for (std::uint32_t i = 0; i < capacity(); ++i) {
      view_.slot(i) = SlotWord(lap, SlotState::empty, SlotWord(view_.slot(i)).block()).bits();
    }
    view_.header().head = view_.header().tail = Position(lap, 0).bits();
  }

  /// Random puts and gets, against a queue that is surely right.
  void compare_with_a_queue(std::uint32_t operations) {
    std::mt19937 random(capacity());
    std::deque<std::uint64_t> model;
    std::uint64_t gets = port(1).spare().gets();
    for (std::uint64_t i = 0; i < operations; ++i) {
      if (random() % 2 == 0) {
        ASSERT_EQ(put(i, random() % 4), model.size() == capacity() ? RingOutcome::full : RingOutcome::done);
        if (model.size() < capacity()) model.push_back(i);
      } else if (model.empty()) {
        expect_nothing();
      } else {
        expect_get(model.front());
        model.pop_front();
        ++gets;
      }
      ASSERT_EQ(ring::size_approx(view_), model.size());
      ASSERT_EQ(ring::has_room_or_end(view_), model.size() < capacity());
      ASSERT_EQ(ring::has_message_or_end(view_), !model.empty());
    }
    EXPECT_EQ(port(1).spare().gets(), gets) << "each get is counted with its block";
    EXPECT_EQ(audit(node_.segment(), channel_.reference()), "");
  }

  LocalNode node_;
  std::shared_ptr<Member> member_ = node_.join();
  Channel channel_ = Channel::create(member_, {.capacity = GetParam(), .inline_size = 8}, 1, "numbers");
  RingView view_ = channel_.local().view();
};

TEST_P(RingTest, behaves_as_a_queue) { compare_with_a_queue(20 * capacity() + 200); }

TEST_P(RingTest, behaves_as_a_queue_where_laps_and_tickets_turn_over) {
  for (const std::uint64_t turn :
       {std::uint64_t{1} << ticket_bits, (std::uint64_t{1} << ticket_bits) / capacity()}) {
    start_at_lap(turn - 2);
    compare_with_a_queue(20 * capacity() + 200);
    std::uint64_t message = 0;
    while (get(message) == RingOutcome::done) {
    }
  }
}

TEST_P(RingTest, is_full_after_capacity_messages_and_not_before) {
  for (std::uint64_t i = 0; i < capacity(); ++i) ASSERT_EQ(put(i), RingOutcome::done);
  EXPECT_EQ(put(99), RingOutcome::full);
  for (std::uint64_t i = 0; i < capacity(); ++i) expect_get(i);
  expect_nothing();
}

TEST_P(RingTest, hints_that_were_left_behind_change_nothing) {
  for (std::uint64_t i = 0; i < 3 * capacity() + 1; ++i) {
    ASSERT_EQ(put(i), RingOutcome::done);
    if (i >= capacity() / 2) expect_get(i - capacity() / 2);
    view_.header().tail = view_.header().head = Position(0, 0).bits();  // nobody ever moved them
  }
  EXPECT_EQ(ring::size_approx(view_), capacity() / 2);
  EXPECT_EQ(audit(node_.segment(), channel_.reference()), "");
}

TEST_P(RingTest, close_ends_consumers_behind_the_last_message) {
  for (std::uint64_t i = 0; i < capacity(); ++i) ASSERT_EQ(put(i), RingOutcome::done);
  close();
  EXPECT_EQ(put(99), RingOutcome::full) << "the flag alone turns nobody back in the ring";
  for (std::uint64_t i = 0; i < capacity(); ++i) expect_get(i);
  std::uint64_t message = 0;
  EXPECT_EQ(get(message), RingOutcome::closed);
  EXPECT_EQ(get(message), RingOutcome::closed);
  EXPECT_EQ(put(99), RingOutcome::closed);
  EXPECT_EQ(audit(node_.segment(), channel_.reference()), "");
}

TEST_P(RingTest, put_that_passed_the_flag_is_before_the_end_or_turned_back) {
  close();
  ASSERT_EQ(put(1), RingOutcome::done) << "no end is placed yet";
  expect_get(1);
  std::uint64_t message = 0;
  EXPECT_EQ(get(message), RingOutcome::closed);
  EXPECT_EQ(put(2), RingOutcome::closed);
}

TEST_P(RingTest, end_is_found_with_hints_that_were_left_behind) {
  ASSERT_EQ(put(1), RingOutcome::done);
  expect_get(1);
  close();
  std::uint64_t message = 0;
  ASSERT_EQ(get(message), RingOutcome::closed);
  view_.header().tail = view_.header().head = Position(0, 0).bits();
  EXPECT_EQ(put(2), RingOutcome::closed);
  EXPECT_EQ(get(message), RingOutcome::closed);
}

INSTANTIATE_TEST_SUITE_P(capacities, RingTest, ::testing::Values(1, 2, 3, 5, 8, 128),
                         [](const auto& instance) { return std::to_string(instance.param); });

}  // namespace
}  // namespace wyvern::test
