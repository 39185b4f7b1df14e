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
  for (const bool getter : {false, true}) {
    for (const std::uint64_t ticket : {std::uint64_t{0}, last_ticket}) {
      for (const std::uint32_t block : {0U, last_block}) {
        const IntentWord intent(IntentWord(getter, ticket, block).bits());
        EXPECT_TRUE(intent.active());
        EXPECT_EQ(intent.getter(), getter);
        EXPECT_EQ(intent.ticket(), ticket);
        EXPECT_EQ(intent.block(), block);
      }
    }
  }
}

TEST(IntentWord, keeps_the_ticket_modulo_its_width) {
  EXPECT_EQ(IntentWord(false, last_ticket + 6, 1).ticket(), 5U);
}

TEST(IntentWord, zero_is_no_intent) {
  EXPECT_FALSE(IntentWord(0).active());
  EXPECT_NE(IntentWord(false, 0, 0).bits(), 0U);
}

TEST(PortOwner, changes_its_generation_each_time) {
  const PortOwner first = PortOwner(0).next(PortState::owned, max_processes - 1);
  const PortOwner second = first.next(PortState::free).next(PortState::owned, max_processes - 1);

  EXPECT_EQ(first.state(), PortState::owned);
  EXPECT_EQ(first.process(), max_processes - 1);
  EXPECT_EQ(second.process(), first.process());
  EXPECT_NE(second.bits(), first.bits());
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
