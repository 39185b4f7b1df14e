#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
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
  const Channel channel = make_channel({.capacity = default_window});
  ScriptedGuest& guest = visitor(channel);
  const std::uint32_t window = default_window;
  for (std::uint32_t i = 0; i < window; ++i) guest.put_ahead({std::to_string(i)});
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
  guest.put_ahead({"second"});
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

class HomeTurnsTest : public HomeTest {
 protected:
  /// A message of each turn, when both guests have put three that find the queue full.
  void expect_turns() {
    scene_.settle();
    EXPECT_EQ(get(channel_), "full");
    std::string order;
    for (int i = 0; i < 6; ++i) {
      scene_.settle();
      order += *get(channel_);
    }
    EXPECT_TRUE(order == "ababab" || order == "bababa") << order;
  }

  Channel channel_ = make_channel({.capacity = 1});
  ScriptedGuest& a_ = visitor(channel_);
  ScriptedGuest& b_ = visitor(channel_);
};

TEST_F(HomeTurnsTest, guests_whose_puts_wait_take_turns) {
  put(channel_, "full");
  for (int i = 0; i < 3; ++i) a_.put_ahead({"a"});
  for (int i = 0; i < 3; ++i) b_.put_ahead({"b"});
  expect_turns();
}

TEST_F(HomeTurnsTest, guests_whose_messages_were_put_together_take_turns) {
  put(channel_, "full");
  a_.put_ahead({"a", "a", "a"});
  b_.put_ahead({"b", "b", "b"});
  expect_turns();
}

TEST_F(HomeTurnsTest, guests_whose_messages_were_put_together_with_one_answer_take_turns) {
  put(channel_, "full");
  a_.put_run(1, {"a", "a", "a"});
  b_.put_run(1, {"b", "b", "b"});
  expect_turns();
  for (ScriptedGuest* const guest : {&a_, &b_}) {
    const Said said = guest->next();
    ASSERT_TRUE(said.is(FrameKind::went_in, 1)) << said;
    EXPECT_EQ(said.value(), 3U);
  }
}

TEST_F(HomeTest, messages_put_together_that_find_no_room_go_in_in_order) {
  const Channel channel = make_channel({.capacity = 2});
  ScriptedGuest& guest = visitor(channel);
  guest.put_ahead({"1", "2", "3", "4"});
  guest.put_ahead({"5"});
  scene_.settle();
  for (const char* text : {"1", "2", "3", "4", "5"}) {
    EXPECT_EQ(get(channel), text);
    scene_.settle();
  }
  while (guest.next().operation != 5) continue;  // of credits
  expect_sound(channel);
}

TEST_F(HomeTest, message_that_can_never_fit_is_refused_and_those_put_with_it_go_in) {
  const Channel channel = make_channel({.max_bytes = 512, .inline_size = 64});
  ScriptedGuest& guest = visitor(channel);
  guest.put_ahead({"before", std::string(1000, 'x'), "behind"});
  const Said said = guest.next();
  ASSERT_TRUE(said.is(FrameKind::refused, 0));
  EXPECT_EQ(said.error(), ErrorCode::too_large);
  EXPECT_TRUE(guest.next().is(FrameKind::credit, 3));
  EXPECT_EQ(get(channel), "before");
  EXPECT_EQ(get(channel), "behind");
}

TEST_F(HomeTest, flush_is_answered_when_all_is_in) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  guest.put_ahead({"first"});
  guest.say(FrameKind::flush, 1);
  EXPECT_TRUE(guest.next().is(FrameKind::credit, 1));
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
  guest.put_ahead({"second"});
  guest.say(FrameKind::flush, 2);
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_EQ(get(channel), "first");
  EXPECT_TRUE(guest.next().is(FrameKind::credit, 2));
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 2));
}

TEST_F(HomeTest, flush_that_is_cancelled_ends_and_what_it_waits_for_goes_on) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  guest.put_ahead({"first", "second"});
  EXPECT_TRUE(guest.next().is(FrameKind::credit, 1));
  guest.say(FrameKind::flush, 1);
  EXPECT_TRUE(guest.is_told_nothing());
  guest.say(FrameKind::cancel, 1);
  EXPECT_TRUE(guest.next().is(FrameKind::nothing, 1));
  EXPECT_EQ(get(channel), "first");
  EXPECT_TRUE(guest.next().is(FrameKind::credit, 2));
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_EQ(get(channel), "second");
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
    guest.put_ahead({large});
    scene_.settle();
  }
  EXPECT_EQ(scene_.home->counters().broken, 0U);
  guest.put_ahead({large});
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
    for (std::size_t i = 0; i < most; ++i) guest.put_ahead({payload});
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
  for (int i = 0; i < 4; ++i) guest.put_ahead({std::to_string(i)});
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
