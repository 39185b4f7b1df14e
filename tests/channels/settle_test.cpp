#include <cstdint>

#include <gtest/gtest.h>

#include <wyvern/channels/ring_operations.hpp>
#include <wyvern/channels/settle.hpp>

#include "support/local_node.hpp"

// The states that killed processes hardly ever leave; the others are made by killing (crash_sweep_test.cpp).
namespace wyvern::test {
namespace {

class Settle : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  void SetUp() override {
    for (std::uint32_t number = 0; number < first_ports; ++number) {
      auto& owner = view_.port(number).owner;
      owner = PortOwner(owner).claimed_by(member_->process_index()).bits();
    }
  }
  std::uint32_t capacity() const { return GetParam(); }
  Port& port(std::uint32_t number) const { return view_.port(number); }
  SpareWord spare(std::uint32_t number) const { return SpareWord(port(number).spare); }
  RingOutcome put(std::uint32_t with) const { return ring::put(view_, {&port(with), with}); }
  RingOutcome get(std::uint32_t with) const {
    return ring::take(view_, {&port(with), with}, IntentKind::get);
  }

  /// A put at `ticket` by port 0 that goes no further than its swap, or, without it, than its intent.
  void begin_put(std::uint64_t ticket, bool swap) const {
    const auto index = static_cast<std::uint32_t>(ticket % capacity());
    const SlotWord word(view_.slot(index));
    port(0).intent = IntentWord(IntentKind::put, ticket, word.block()).bits();
    if (swap) view_.slot(index) = SlotWord(word.lap(), SlotState::full, spare(0).block()).bits();
  }

  void start_at_lap(std::uint64_t lap) const {
    for (std::uint32_t i = 0; i < capacity(); ++i) {
      view_.slot(i) = SlotWord(lap, SlotState::empty, SlotWord(view_.slot(i)).block()).bits();
    }
    view_.header().head = view_.header().tail = Position(lap, 0).bits();
  }

  void expect_clean() const { EXPECT_EQ(audit(node_.segment(), channel_.reference()), ""); }

  LocalNode node_;
  std::shared_ptr<Member> member_ = node_.join();
  Channel channel_ = Channel::create(member_, {.capacity = GetParam(), .inline_size = 8}, 1, "numbers");
  RingView view_ = channel_.local().view();
};

TEST_P(Settle, port_at_rest_is_left_alone) {
  const std::uint64_t before = port(0).spare;
  settle_port(view_, 0);
  EXPECT_EQ(port(0).spare, before);
  expect_clean();
}

TEST_P(Settle, put_that_did_not_swap_keeps_its_block) {
  const std::uint64_t before = port(0).spare;
  begin_put(0, false);
  settle_port(view_, 0);
  EXPECT_EQ(port(0).spare, before);
  EXPECT_EQ(port(0).intent, 0U);
  expect_clean();
}

TEST_P(Settle, put_that_swapped_owns_what_it_received) {
  begin_put(0, true);
  settle_port(view_, 0);
  expect_clean();
  EXPECT_EQ(ring::size_approx(view_), 1U);
}

TEST_P(Settle, finished_operation_keeps_its_intent_and_is_left_alone) {
  ASSERT_EQ(put(0), RingOutcome::done);
  ASSERT_EQ(get(0), RingOutcome::done);
  const std::uint64_t before = port(0).spare;
  EXPECT_EQ(IntentWord(port(0).intent).block(), spare(0).block());

  settle_port(view_, 0);

  EXPECT_EQ(port(0).spare, before);
  EXPECT_EQ(spare(0).gets(), 1U);
}

TEST_P(Settle, put_is_found_where_tickets_and_laps_turn_over) {
  for (const std::uint64_t turn :
       {(std::uint64_t{1} << ticket_bits) / capacity(), std::uint64_t{1} << ticket_bits}) {
    for (std::uint64_t lap = turn - 1; lap <= turn + 1; ++lap) {
      start_at_lap(lap);
      begin_put(lap * capacity(), true);
      settle_port(view_, 0);
      expect_clean();
      EXPECT_EQ(get(1), RingOutcome::done);
    }
  }
}

TEST_P(Settle, old_intent_of_a_getter_about_the_same_block_proves_nothing) {
  ASSERT_EQ(put(1), RingOutcome::done);
  const SlotWord first(view_.slot(0));
  port(2).intent =
      IntentWord(IntentKind::get, 0, first.block()).bits();  // stopped before its swap, which will fail
  ASSERT_EQ(get(0), RingOutcome::done);
  ASSERT_EQ(spare(0).block(), first.block());
  begin_put(1, false);  // another ticket

  settle_port(view_, 0);

  EXPECT_EQ(spare(0).block(), first.block()) << "the put did not happen";
  port(2).intent = 0;
  expect_clean();
}

TEST_P(Settle, intent_of_the_getter_of_that_very_message_proves_the_put) {
  const std::uint32_t message = spare(0).block();
  begin_put(0, true);
  // The getter has swapped, and nothing else yet.
  const SlotWord word(view_.slot(0));
  port(2).intent = IntentWord(IntentKind::get, 0, message).bits();
  view_.slot(0) = SlotWord(word.lap() + 1, SlotState::empty, spare(2).block()).bits();

  settle_port(view_, 0);
  EXPECT_NE(spare(0).block(), message);
  settle_port(view_, 2);

  EXPECT_EQ(spare(2).block(), message);
  EXPECT_EQ(spare(2).gets(), 1U) << "counted with its block";
  expect_clean();
}

TEST_P(Settle, old_intent_of_a_putter_about_the_same_block_proves_nothing_for_a_get) {
  // Port 2 stopped when it was about to receive the free block of slot 0; port 1 was faster, and port 0 got
  // the block.
  const SlotWord empty(view_.slot(0));
  port(2).intent = IntentWord(IntentKind::put, 0, empty.block()).bits();
  ASSERT_EQ(put(0), RingOutcome::done);
  ASSERT_EQ(spare(0).block(), empty.block());
  const SlotWord full(view_.slot(0));
  port(0).intent = IntentWord(IntentKind::get, 0, full.block()).bits();  // about to get, not swapped

  settle_port(view_, 0);

  EXPECT_EQ(spare(0).block(), empty.block()) << "the get did not happen";
  EXPECT_EQ(spare(0).gets(), 0U);
  port(2).intent = 0;
  expect_clean();
  EXPECT_EQ(get(1), RingOutcome::done);
}

INSTANTIATE_TEST_SUITE_P(capacities, Settle, ::testing::Values(1, 2, 3, 8),
                         [](const auto& instance) { return std::to_string(instance.param); });

}  // namespace
}  // namespace wyvern::test
