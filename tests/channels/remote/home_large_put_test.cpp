#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/channels/channel.hpp>

#include "channels/remote/home_test.hpp"

// What a home does with large messages that guests put, which it fetches from their memory.
namespace wyvern::test {
namespace {

TEST_F(HomeTest, large_put_is_fetched) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  Bytes large = pattern(3'000'000);
  const auto registered = guest.endpoint->register_memory(large);
  guest.put_large(1, registered->remote(), answer);
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
  EXPECT_EQ(channel.try_get(), large);
  expect_sound(channel);
}

TEST_F(HomeTest, small_put_behind_a_large_one_comes_behind_it) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  Bytes large = pattern(3'000'000);
  const auto registered = guest.endpoint->register_memory(large);
  guest.put_large(1, registered->remote(), answer);
  guest.put_ahead({"small"});
  guest.say(FrameKind::flush, 2);
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
  EXPECT_TRUE(guest.next().is(FrameKind::credit, 1));
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 2));
  EXPECT_EQ(channel.try_get(), large);
  EXPECT_EQ(get(channel), "small");
}

TEST_F(HomeTest, large_put_that_is_to_wait_for_nothing_finds_room_or_does_not) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  Bytes large = pattern(100'000);
  const auto registered = guest.endpoint->register_memory(large);
  guest.put_large(1, registered->remote(), answer | now);
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
  guest.put_large(2, registered->remote(), answer | now);
  EXPECT_TRUE(guest.next().is(FrameKind::nothing, 2));
  EXPECT_EQ(channel.try_get(), large);
  EXPECT_EQ(get(channel), std::nullopt);
  expect_sound(channel);
}

TEST_F(HomeTest, large_put_that_cannot_be_read_is_refused) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  guest.put_large(1, {.address = 1, .key = 2, .size = 100'000}, answer);
  const Said said = guest.next();
  ASSERT_TRUE(said.is(FrameKind::refused, 1));
  EXPECT_EQ(said.error(), ErrorCode::unreachable);
  guest.put(2, "goes on", answer);
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 2));
  expect_sound(channel);
}

TEST_F(HomeTest, large_put_of_a_guest_that_is_lost_meanwhile_leaves_nothing) {
  expect_large_put_leaves_nothing([this](ScriptedGuest& guest) { lose(guest); });
}

TEST_F(HomeTest, large_put_of_an_impossible_size_is_refused) {
  const Channel channel = make_channel({.max_bytes = ~std::uint64_t{0}});
  ScriptedGuest& guest = visitor(channel);
  Bytes large = pattern(100'000);
  const auto registered = guest.endpoint->register_memory(large);
  std::uint32_t operation = 0;
  for (const std::uint64_t size : {~std::uint64_t{0}, ~std::uint64_t{0} - 2, std::uint64_t{1} << 63}) {
    RemoteMemory memory = registered->remote();
    memory.size = size;
    wire::FrameBuffer buffer(guest.endpoint->largest_message());
    buffer.add_cargo(FrameKind::put, answer, 1, ++operation,
                     {.handles = std::array{channel.reference()}, .memory = memory});
    guest.send(buffer.bytes());
    const Said said = guest.next();
    ASSERT_TRUE(said.is(FrameKind::refused, operation));
    EXPECT_EQ(said.error(), ErrorCode::too_large);
  }
  expect_sound(channel);
}

TEST_F(HomeTest, large_put_that_is_cancelled_while_it_is_fetched_does_not_wait_for_room) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  put(channel, "full");
  Bytes large = pattern(3'000'000);
  const auto registered = guest.endpoint->register_memory(large);
  guest.put_large(1, registered->remote(), answer);
  scene_.home->poll(scene_.now);
  guest.say(FrameKind::cancel, 1);
  EXPECT_TRUE(guest.next().is(FrameKind::nothing, 1));
  EXPECT_EQ(get(channel), "full");
  EXPECT_EQ(get(channel), std::nullopt);
  expect_sound(channel);
}

TEST_F(HomeTest, full_queue_has_one_large_put_fetched_however_many_guests_wait) {
  const Channel channel = make_channel({.capacity = 1});
  put(channel, "full");
  Bytes large = pattern(100'000);
  constexpr std::uint32_t visitors = 5;
  std::vector<std::unique_ptr<RegisteredMemory>> registered;
  std::vector<ScriptedGuest*> guests;
  for (std::uint32_t i = 0; i < visitors; ++i) {
    guests.push_back(&visitor(channel));
    registered.push_back(guests.back()->endpoint->register_memory(large));
    guests.back()->put_large(1, registered.back()->remote(), answer);
  }
  scene_.settle();
  EXPECT_EQ(scene_.endpoint.counters().bytes_read, large.size());
  EXPECT_EQ(get(channel), "full");
  for (std::uint32_t i = 0; i < visitors; ++i) {
    scene_.settle();
    EXPECT_EQ(channel.try_get(), large);
  }
  scene_.settle();
  EXPECT_EQ(get(channel), std::nullopt);
  for (ScriptedGuest* const guest : guests) EXPECT_TRUE(guest->next().is(FrameKind::accepted, 1));
  expect_sound(channel);
}

TEST_F(HomeTest, large_puts_are_fetched_together_as_far_as_there_will_be_room) {
  const Channel channel = make_channel({.capacity = 2});
  Bytes large = pattern(3'000'000);
  std::vector<std::unique_ptr<RegisteredMemory>> registered;
  std::vector<ScriptedGuest*> guests;
  for (std::uint32_t i = 0; i < 3; ++i) {
    guests.push_back(&visitor(channel));
    registered.push_back(guests.back()->endpoint->register_memory(large));
    guests.back()->put_large(1, registered.back()->remote(), answer);
  }
  EXPECT_TRUE(guests[0]->next().is(FrameKind::accepted, 1));
  EXPECT_TRUE(guests[1]->next().is(FrameKind::accepted, 1));
  EXPECT_TRUE(guests[2]->is_told_nothing());
  EXPECT_EQ(channel.try_get(), large);
  EXPECT_TRUE(guests[2]->next().is(FrameKind::accepted, 1));
  expect_sound(channel);
}

TEST_F(HomeTest, large_put_behind_another_of_its_guest_stays_behind_it) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  Bytes first = pattern(3'000'000);
  Bytes second = pattern(100'000);
  const auto first_registered = guest.endpoint->register_memory(first);
  const auto second_registered = guest.endpoint->register_memory(second);
  guest.put_large(1, first_registered->remote(), answer);
  guest.put_large(2, second_registered->remote(), answer);
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 2));
  EXPECT_EQ(channel.try_get(), first);
  EXPECT_EQ(channel.try_get(), second);
  expect_sound(channel);
}

TEST_F(HomeTest, close_turns_back_large_puts_that_are_fetched_and_leaves_nothing) {
  const Channel channel = make_channel({.capacity = 1});
  put(channel, "full");
  Bytes large = pattern(100'000);
  ScriptedGuest& guest = visitor(channel);
  ScriptedGuest& other = visitor(channel);
  const auto registered = guest.endpoint->register_memory(large);
  const auto others = other.endpoint->register_memory(large);
  guest.put_large(1, registered->remote(), answer);
  guest.put_large(2, registered->remote(), answer);
  other.put_large(1, others->remote(), answer);
  scene_.settle();
  channel.close();
  EXPECT_TRUE(guest.next().is(FrameKind::closed, 1));
  EXPECT_TRUE(guest.next().is(FrameKind::closed, 2));
  EXPECT_TRUE(other.next().is(FrameKind::closed, 1));
  EXPECT_EQ(get(channel), "full");
  EXPECT_THROW(channel.try_get(), QueueClosed);
  expect_sound(channel);
}

TEST_F(HomeTest, close_comes_behind_large_puts_ahead_of_the_same_guest) {
  const Channel channel = make_channel({.capacity = 1});
  put(channel, "full");
  Bytes large = pattern(100'000);
  ScriptedGuest& guest = visitor(channel);
  const auto registered = guest.endpoint->register_memory(large);
  guest.put_large(1, registered->remote(), answer | flag(FrameFlag::ahead));
  guest.put_large(2, registered->remote(), answer);
  guest.say(FrameKind::close, 3);
  EXPECT_TRUE(guest.next().is(FrameKind::closed, 2));
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_EQ(get(channel), "full");
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 3));
  EXPECT_EQ(channel.try_get(), large);
  EXPECT_THROW(channel.try_get(), QueueClosed);
  expect_sound(channel);
}

TEST_F(HomeTest, guest_that_goes_with_a_fetched_put_leaves_its_place_to_another) {
  const Channel channel = make_channel({.capacity = 1});
  put(channel, "full");
  Bytes large = pattern(100'000);
  ScriptedGuest& guest = visitor(channel);
  ScriptedGuest& other = visitor(channel);
  const auto registered = other.endpoint->register_memory(large);
  const auto of_who_goes = guest.endpoint->register_memory(large);
  guest.put_large(1, of_who_goes->remote(), answer);
  scene_.settle();
  other.put_large(1, registered->remote(), answer);
  scene_.settle();
  EXPECT_EQ(scene_.endpoint.counters().bytes_read, large.size());
  guest.say(FrameKind::let_go, 0);
  scene_.settle();
  EXPECT_EQ(scene_.endpoint.counters().bytes_read, 2 * large.size());
  EXPECT_EQ(get(channel), "full");
  EXPECT_TRUE(other.next().is(FrameKind::accepted, 1));
  EXPECT_EQ(channel.try_get(), large);
  expect_sound(channel);
}

TEST_F(HomeTest, large_puts_that_are_fetched_when_their_queues_are_let_go_leave_nothing) {
  ScriptedGuest& guest = scene_.add_guest();
  guest.introduce();
  Bytes large = pattern(3'000'000);
  const auto registered = guest.endpoint->register_memory(large);
  for (std::uint32_t opening = 1; opening <= 3; ++opening) {
    const Channel channel = make_channel();
    guest.open(channel.reference(), opening);
    EXPECT_EQ(guest.next().kind, FrameKind::opened);
  }
  for (std::uint32_t opening = 1; opening <= 3; ++opening) {
    guest.current_opening = opening;
    guest.put_large(opening, registered->remote(), answer);
  }
  for (int i = 0; i < 2; ++i) scene_.home->poll(scene_.now);  // begins to fetch
  for (std::uint32_t opening = 1; opening <= 3; ++opening) {
    guest.current_opening = opening;
    guest.say(FrameKind::let_go, 0);
  }
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_EQ(audit_node(scene_.node.segment()), "");
}

}  // namespace
}  // namespace wyvern::test
