#include <cstdint>

#include <gtest/gtest.h>

#include <wyvern/channels/ring_layout.hpp>

namespace wyvern::test {
namespace {

constexpr std::uint64_t last_ticket = ticket_mask;
constexpr std::uint32_t last_block = max_blocks - 1;

TEST(SlotWord, keeps_its_parts_at_their_limits) {
  for (const std::uint64_t lap : {std::uint64_t{0}, std::uint64_t{1}, last_ticket}) {
    for (const SlotState state : {SlotState::empty, SlotState::full, SlotState::closed}) {
      for (const std::uint32_t block : {0U, 1U, last_block}) {
        const SlotWord word(SlotWord(lap, state, block).bits());
        EXPECT_EQ(word.lap(), lap);
        EXPECT_EQ(word.state(), state);
        EXPECT_EQ(word.block(), block);
      }
    }
  }
}

TEST(SlotWord, lap_turns_over_to_zero) {
  const SlotWord word(last_ticket + 1, SlotState::full, last_block);
  EXPECT_EQ(word.lap(), 0U);
  EXPECT_EQ(word.state(), SlotState::full);
  EXPECT_EQ(word.block(), last_block);
}

TEST(TicketDifference, is_signed_and_right_across_the_turn) {
  EXPECT_EQ(difference_modulo_ticket(5, 3), 2);
  EXPECT_EQ(difference_modulo_ticket(3, 5), -2);
  EXPECT_EQ(difference_modulo_ticket(0, last_ticket), 1);
  EXPECT_EQ(difference_modulo_ticket(last_ticket, 0), -1);
  EXPECT_EQ(difference_modulo_ticket((last_ticket + 1) * 3 + 7, 6), 1) << "a number that is kept whole";
}

TEST(TicketDifference, is_right_up_to_half_a_turn) {
  const std::uint64_t half = std::uint64_t{1} << (ticket_bits - 1);
  EXPECT_EQ(difference_modulo_ticket(half - 1, 0), static_cast<std::int64_t>(half) - 1);
  EXPECT_EQ(difference_modulo_ticket(0, half - 1), 1 - static_cast<std::int64_t>(half));
}

TEST(Position, goes_round_the_ring_and_on_to_the_next_lap) {
  for (const std::uint32_t capacity : {1U, 2U, 3U, 128U, static_cast<std::uint32_t>(max_capacity)}) {
    Position at(0, 0);
    for (std::uint64_t ticket = 0; ticket < 3 * std::uint64_t{capacity}; ++ticket) {
      ASSERT_EQ(at.ticket(capacity), ticket);
      ASSERT_EQ(at.lap(), ticket / capacity);
      ASSERT_EQ(at.index(), ticket % capacity);
      at = at.next(capacity);
    }
  }
}

TEST(Position, keeps_its_parts_at_their_limits) {
  const std::uint64_t last_lap = (std::uint64_t{1} << 47) - 1;
  const Position at(last_lap, max_capacity - 1);
  EXPECT_EQ(at.lap(), last_lap);
  EXPECT_EQ(at.index(), max_capacity - 1);
}

TEST(IntentWord, keeps_its_parts_at_their_limits) {
  for (const IntentKind kind : {IntentKind::put, IntentKind::get, IntentKind::lease}) {
    for (const std::uint64_t ticket : {std::uint64_t{0}, last_ticket}) {
      for (const std::uint32_t block : {0U, last_block}) {
        const IntentWord intent(IntentWord(kind, ticket, block).bits());
        EXPECT_EQ(intent.kind(), kind);
        EXPECT_EQ(intent.takes(), kind != IntentKind::put);
        EXPECT_EQ(intent.ticket(), ticket);
        EXPECT_EQ(intent.block(), block);
      }
    }
  }
}

TEST(IntentWord, keeps_the_ticket_modulo_its_width) {
  EXPECT_EQ(IntentWord(IntentKind::put, last_ticket + 6, 1).ticket(), 5U);
}

TEST(IntentWord, zero_is_no_intent) {
  EXPECT_EQ(IntentWord(0).kind(), IntentKind::none);
  EXPECT_FALSE(IntentWord(0).takes());
  EXPECT_NE(IntentWord(IntentKind::put, 0, 0).bits(), 0U);
}

constexpr std::uint64_t most_gets = (std::uint64_t{1} << 45) - 1;

TEST(SpareWord, keeps_its_parts_at_their_limits) {
  for (const std::uint64_t gets : {std::uint64_t{0}, std::uint64_t{1}, most_gets}) {
    for (const bool leased : {false, true}) {
      for (const std::uint32_t block : {0U, last_block}) {
        const SpareWord word(SpareWord(gets, leased, block).bits());
        EXPECT_EQ(word.gets(), gets);
        EXPECT_EQ(word.leased(), leased);
        EXPECT_EQ(word.block(), block);
      }
    }
  }
}

TEST(SpareWord, counts_gets_alone_and_notes_leases) {
  const SpareWord before(7, false, 1);
  EXPECT_EQ(before.after(IntentKind::put, 2).bits(), SpareWord(7, false, 2).bits());
  EXPECT_EQ(before.after(IntentKind::get, 2).bits(), SpareWord(8, false, 2).bits());
  EXPECT_EQ(before.after(IntentKind::lease, 2).bits(), SpareWord(7, true, 2).bits());
}

TEST(SpareWord, gets_turn_over_and_leave_the_block_alone) {
  const SpareWord word = SpareWord(most_gets, false, last_block).after(IntentKind::get, last_block);
  EXPECT_EQ(word.gets(), 0U);
  EXPECT_FALSE(word.leased());
  EXPECT_EQ(word.block(), last_block);
}

constexpr std::uint64_t most_lost = (std::uint64_t{1} << 20) - 1;

TEST(FinishedWord, counts_dones_and_those_that_were_lost) {
  const FinishedWord word = FinishedWord(0).one_done().and_lost(3).one_done();
  EXPECT_EQ(word.dones(), 5U);
  EXPECT_EQ(word.lost(), 3U);
}

TEST(FinishedWord, lost_stops_at_its_largest_value_and_dones_go_on) {
  const FinishedWord word = FinishedWord(0).and_lost(most_lost - 1).and_lost(5).and_lost(1);
  EXPECT_EQ(word.lost(), most_lost);
  EXPECT_EQ(word.dones(), most_lost + 5);
}

TEST(FinishedWord, outstanding_is_what_is_got_and_not_done_across_the_turn) {
  EXPECT_EQ(outstanding(SpareWord(5, false, 1), FinishedWord(3)), 2U);
  EXPECT_EQ(outstanding(SpareWord(5, true, 1), FinishedWord(5)), 0U);
  EXPECT_EQ(outstanding(SpareWord(last_ticket + 2, false, 1), FinishedWord(last_ticket)), 2U);
  EXPECT_EQ(outstanding(SpareWord(0, false, 1), FinishedWord(last_ticket)), 1U)
      << "gets have turned over, dones have not";
}

TEST(MovedWord, keeps_its_parts_at_their_limits) {
  for (const std::uint32_t port : {0U, max_ports - 1}) {
    for (const std::uint64_t gets : {std::uint64_t{0}, most_gets}) {
      const MovedWord word(MovedWord(port, gets).bits());
      EXPECT_TRUE(word.active());
      EXPECT_EQ(word.to_port(), port);
      EXPECT_EQ(word.gets_before(), gets);
    }
  }
  EXPECT_FALSE(MovedWord(0).active());
}

TEST(HandleList, keeps_its_parts_at_their_limits) {
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{4}, std::uint64_t{1} << 41}) {
    for (const std::uint64_t count : {std::uint64_t{1}, HandleList::max_count}) {
      const HandleList list(HandleList(offset, count).bits());
      EXPECT_EQ(list.offset_bytes(), offset);
      EXPECT_EQ(list.count(), count);
    }
  }
  EXPECT_EQ(HandleList(0).count(), 0U);
}

TEST(PortOwner, changes_its_generation_each_time) {
  const PortOwner first = PortOwner(0).claimed_by(max_processes - 1);
  const PortOwner second = first.freed().claimed_by(max_processes - 1);

  EXPECT_EQ(first.state(), PortState::owned);
  EXPECT_EQ(first.process(), max_processes - 1);
  EXPECT_EQ(second.process(), first.process());
  EXPECT_NE(second.bits(), first.bits());
  EXPECT_NE(first.without_deliveries().bits(), first.bits());
}

TEST(PortOwner, counts_deliveries_while_the_message_goes_round) {
  PortOwner owner(0);
  for (std::uint32_t deliveries = 0; deliveries < 3; ++deliveries) {
    owner = owner.claimed_by(5);
    EXPECT_TRUE(owner.is_owned_by(5));
    EXPECT_FALSE(owner.is_owned_by(4));
    EXPECT_EQ(owner.deliveries(), deliveries);
    owner = owner.given_back();
    EXPECT_EQ(owner.state(), PortState::given_back);
    EXPECT_FALSE(owner.is_owned_by(5));
    EXPECT_EQ(owner.deliveries(), deliveries + 1);
  }
  EXPECT_EQ(owner.claimed_by(6).given_back_unchanged().deliveries(), 3U);
  EXPECT_EQ(owner.claimed_by(6).without_deliveries().deliveries(), 0U);
  EXPECT_EQ(owner.claimed_by(6).freed().claimed_by(6).deliveries(), 0U) << "another message";
}

TEST(PortOwner, deliveries_stop_at_their_largest_value) {
  PortOwner owner = PortOwner(0).claimed_by(max_processes - 1);
  for (std::uint32_t i = 0; i < max_deliveries_counted + 2; ++i) owner = owner.given_back().claimed_by(7);
  EXPECT_EQ(owner.deliveries(), max_deliveries_counted);
  EXPECT_EQ(owner.process(), 7U);
}

TEST(PortOwner, generation_turns_over) {
  const PortOwner owner = PortOwner(~std::uint64_t{0} << 26).claimed_by(3);
  EXPECT_TRUE(owner.is_owned_by(3));
  EXPECT_EQ(owner.bits() >> 26, 0U);
}

TEST(BlockStride, holds_the_payload_and_keeps_blocks_apart_by_cache_lines) {
  for (const std::uint64_t inline_size :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{64}, std::uint64_t{65}, max_inline_size}) {
    EXPECT_GE(block_stride_for(inline_size), sizeof(BlockHeader) + inline_size);
    EXPECT_EQ(block_stride_for(inline_size) % cache_line, 0U);
  }
}

}  // namespace
}  // namespace wyvern::test
