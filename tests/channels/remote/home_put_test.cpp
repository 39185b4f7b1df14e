#include <malloc.h>

#include <algorithm>
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

// What a home does with what guests put, frame by frame.
namespace wyvern::test {
namespace {

TEST_F(HomeTest, put_arrives) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  guest.put(1, "one", answer);
  guest.put(2, "", answer);
  guest.put(3, std::string(1000, 'x'), answer | now);
  for (std::uint32_t i = 1; i <= 3; ++i) EXPECT_TRUE(guest.next().is(FrameKind::accepted, i));
  EXPECT_EQ(get(channel), "one");
  EXPECT_EQ(get(channel), "");
  EXPECT_EQ(get(channel), std::string(1000, 'x'));
  expect_sound(channel);
}

TEST_F(HomeTest, puts_ahead_are_credited_now_and_then) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  const std::uint32_t window = default_window;
  for (std::uint32_t i = 0; i < window; ++i) guest.put(0, std::to_string(i));
  scene_.settle();
  EXPECT_LT(guest.told.size(), window / 8);
  std::uint32_t credited = 0;
  while (!guest.told.empty()) {
    const Said said = guest.next();
    EXPECT_EQ(said.kind, FrameKind::credit);
    EXPECT_GT(said.operation, credited);
    credited = said.operation;
  }
  EXPECT_EQ(credited, window);
  for (std::uint32_t i = 0; i < window; ++i) EXPECT_EQ(get(channel), std::to_string(i));
}

TEST_F(HomeTest, put_into_a_full_queue_waits_for_room_and_keeps_its_place) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  guest.put(1, "first", answer);
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
  guest.put(0, "second");
  guest.put(3, "third", answer);
  guest.put(4, "not in time", answer | now);
  EXPECT_TRUE(guest.next().is(FrameKind::nothing, 4));
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_EQ(get(channel), "first");
  EXPECT_TRUE(guest.next().is(FrameKind::credit, 1));
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_EQ(get(channel), "second");
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 3));
  EXPECT_EQ(get(channel), "third");
  EXPECT_EQ(get(channel), std::nullopt);
  expect_sound(channel);
}

TEST_F(HomeTest, put_that_is_cancelled_while_it_waits_never_happens) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  guest.put(1, "first", answer);
  guest.put(2, "second", answer);
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
  guest.say(FrameKind::cancel, 2);
  EXPECT_TRUE(guest.next().is(FrameKind::nothing, 2));
  guest.say(FrameKind::cancel, 2);
  guest.say(FrameKind::cancel, 99);
  EXPECT_TRUE(guest.is_told_nothing()) << "an operation ends once";
  EXPECT_EQ(get(channel), "first");
  scene_.settle();
  EXPECT_EQ(get(channel), std::nullopt);
}

TEST_F(HomeTest, guests_whose_puts_wait_take_turns) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& a = visitor(channel);
  ScriptedGuest& b = visitor(channel);
  put(channel, "full");
  for (int i = 0; i < 3; ++i) a.put(0, "a");
  for (int i = 0; i < 3; ++i) b.put(0, "b");
  scene_.settle();
  EXPECT_EQ(get(channel), "full");
  std::string order;
  for (int i = 0; i < 6; ++i) {
    scene_.settle();
    order += *get(channel);
  }
  EXPECT_TRUE(order == "ababab" || order == "bababa") << order;
}

TEST_F(HomeTest, flush_is_answered_when_all_is_in) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  guest.put(0, "first");
  guest.say(FrameKind::flush, 1);
  EXPECT_TRUE(guest.next().is(FrameKind::credit, 1));
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
  guest.put(0, "second");
  guest.say(FrameKind::flush, 2);
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_EQ(get(channel), "first");
  EXPECT_TRUE(guest.next().is(FrameKind::credit, 2));
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 2));
}

TEST_F(HomeTest, put_that_can_never_fit_is_refused) {
  const Channel channel = make_channel({.max_bytes = 512, .inline_size = 64});
  ScriptedGuest& guest = visitor(channel);
  guest.put(1, std::string(1000, 'x'), answer);
  const Said said = guest.next();
  ASSERT_TRUE(said.is(FrameKind::refused, 1));
  EXPECT_EQ(said.error(), ErrorCode::too_large);
  guest.put(2, "fits", answer);
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 2));
}

TEST_F(HomeTest, guest_that_puts_more_bytes_ahead_than_it_may_ends_its_visit) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  const std::string large(8000, 'x');
  for (std::size_t i = 0; i < GuestLimits().window_bytes / wire::held_bytes(large.size()) + 1; ++i) {
    guest.put(0, large);
    scene_.settle();
  }
  EXPECT_EQ(scene_.home->counters().broken, 0U);
  guest.put(0, large);
  scene_.settle();
  EXPECT_EQ(scene_.home->counters().broken, 1U);
}

TEST_F(HomeTest, what_a_guest_puts_ahead_takes_less_than_a_mebibyte) {
  const Channel channel = make_channel({.capacity = 1, .window = max_window});
  put(channel, "nobody gets it");
  for (const std::size_t size : {0U, 8U, 256U, 8000U}) {
    ScriptedGuest& guest = visitor(channel);
    const std::string payload(size, 'x');
    const std::size_t most = std::min<std::size_t>(
        GuestLimits().window, GuestLimits().window_bytes / wire::held_bytes(payload.size()));
    const std::size_t before = ::mallinfo2().uordblks;
    for (std::size_t i = 0; i < most; ++i) guest.put(0, payload);
    scene_.settle();
    EXPECT_EQ(scene_.home->counters().broken, 0U);
    EXPECT_LT(::mallinfo2().uordblks, before + (std::size_t{1} << 20)) << size << " bytes each";
  }
}

TEST_F(HomeTest, message_carries_handles_of_what_its_sender_holds) {
  const Channel channel = make_channel();
  std::optional<Channel> carried = make_channel();
  const ObjectReference handle = carried->reference();
  ScriptedGuest& guest = visitor(channel);
  guest.open(handle, 2);
  EXPECT_EQ(guest.next().kind, FrameKind::opened);
  guest.current_opening = 1;
  guest.put(1, "with a handle", answer, std::array{handle});
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
  guest.current_opening = 2;
  guest.say(FrameKind::let_go, 0);
  carried.reset();
  scene_.settle();
  expect_sound(channel);  // the message keeps it
  EXPECT_NO_THROW(Channel::open(scene_.local, handle, raw_bytes_type_hash, raw_bytes_type_name));
}

TEST_F(HomeTest, message_with_a_handle_that_its_sender_does_not_hold_ends_the_visit) {
  const Channel channel = make_channel();
  const Channel other = make_channel();
  ScriptedGuest& guest = visitor(channel);
  guest.put(1, "with a handle", answer, std::array{other.reference()});
  scene_.settle();
  EXPECT_EQ(scene_.home->guests(), 0U);
  EXPECT_EQ(scene_.home->counters().broken, 1U);
  EXPECT_EQ(get(channel), std::nullopt);
}

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
  guest.put(0, "small");
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
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  Bytes large = pattern(3'000'000);
  auto registered = guest.endpoint->register_memory(large);
  guest.put_large(1, registered->remote(), answer);
  for (int i = 0; i < 3; ++i) scene_.home->poll(scene_.now);  // begins to fetch
  registered.reset();
  lose(guest);
  EXPECT_EQ(get(channel), std::nullopt);
  put(channel, "goes on");
  EXPECT_EQ(get(channel), "goes on");
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

TEST_F(HomeTest, handle_in_a_put_that_waits_keeps_its_queue) {
  const Channel channel = make_channel({.capacity = 1});
  std::optional<Channel> carried = make_channel();
  const ObjectReference handle = carried->reference();
  ScriptedGuest& guest = visitor(channel);
  guest.open(handle, 2);
  EXPECT_EQ(guest.next().kind, FrameKind::opened);
  guest.current_opening = 1;
  put(channel, "full");
  guest.put(1, "with a handle", answer, std::array{handle});
  scene_.settle();
  carried.reset();
  guest.current_opening = 2;
  guest.say(FrameKind::let_go, 0);
  scene_.settle();
  EXPECT_EQ(get(channel), "full");
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
  EXPECT_NO_THROW(Channel::open(scene_.local, handle, raw_bytes_type_hash, raw_bytes_type_name));
}

TEST_F(HomeTest, puts_ahead_of_a_guest_that_lets_the_queue_go_still_go_in) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  for (int i = 0; i < 4; ++i) guest.put(0, std::to_string(i));
  guest.put(1, "answered", answer);
  guest.say(FrameKind::let_go, 0);
  for (int i = 0; i < 4; ++i) {
    scene_.settle();
    EXPECT_EQ(get(channel), std::to_string(i));
  }
  scene_.settle();
  EXPECT_EQ(get(channel), std::nullopt);
  expect_sound(channel);
}

}  // namespace
}  // namespace wyvern::test
