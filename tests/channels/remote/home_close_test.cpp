#include <string>

#include <gtest/gtest.h>

#include <wyvern/channels/channel.hpp>

#include "channels/remote/home_test.hpp"

// What becomes of a guest's puts when the queue is closed, or the guest lets it go.
namespace wyvern::test {
namespace {

TEST_F(HomeTest, puts_into_a_closed_queue_are_turned_back) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  guest.put(1, "accepted", answer);
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
  guest.put_ahead({"ahead"});
  guest.put(3, "waiting", answer);
  scene_.settle();
  channel.close();
  EXPECT_TRUE(guest.next().is(FrameKind::turned_back, 1));
  EXPECT_TRUE(guest.next().is(FrameKind::closed, 3));
  EXPECT_TRUE(guest.next().is(FrameKind::credit, 1));
  guest.put(4, "later", answer);
  EXPECT_TRUE(guest.next().is(FrameKind::closed, 4));
  EXPECT_EQ(get(channel), "accepted");
  EXPECT_THROW(channel.try_get(), QueueClosed);
}

TEST_F(HomeTest, close_comes_behind_puts_ahead_of_the_same_guest_and_turns_back_those_that_wait) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  for (const char* text : {"first", "second", "third"}) guest.put_ahead({text});
  EXPECT_TRUE(guest.next().is(FrameKind::credit, 1));
  guest.put(2, "waits", answer);
  guest.say(FrameKind::close, 3);
  EXPECT_TRUE(guest.next().is(FrameKind::closed, 2));
  guest.put(4, "later", answer);
  EXPECT_TRUE(guest.next().is(FrameKind::closed, 4));
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_EQ(get(channel), "first");
  EXPECT_TRUE(guest.next().is(FrameKind::credit, 2));
  EXPECT_EQ(get(channel), "second");
  EXPECT_TRUE(guest.next().is(FrameKind::credit, 3));
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 3));
  EXPECT_EQ(get(channel), "third");
  EXPECT_THROW(channel.try_get(), QueueClosed);
  expect_sound(channel);
}

TEST_F(HomeTest, guest_that_is_lost_while_its_close_waits_has_closed) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  guest.put_ahead({"first"});
  guest.put_ahead({"second"});
  guest.say(FrameKind::close, 3);
  scene_.settle();
  lose(guest);
  EXPECT_EQ(get(channel), "first");
  EXPECT_THROW(channel.try_get(), QueueClosed);
}

TEST_F(HomeTest, what_a_guest_has_left_comes_before_what_it_puts_when_it_is_back) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  for (const char* text : {"first", "second", "third"}) guest.put_ahead({text});
  EXPECT_TRUE(guest.next().is(FrameKind::credit, 1));
  guest.say(FrameKind::let_go, 0);
  guest.open(channel.reference(), 2);
  const Said opened = guest.next();
  ASSERT_EQ(opened.kind, FrameKind::opened);
  EXPECT_EQ(wire::decode_opened(opened.body).window, 0U) << "it has to wait";
  guest.current_opening = 2;
  guest.put(1, "not now", answer | now);
  EXPECT_TRUE(guest.next().is(FrameKind::nothing, 1));
  guest.put(2, "fourth", answer);
  guest.say(FrameKind::flush, 3);
  guest.say(FrameKind::close, 4);
  EXPECT_TRUE(guest.next().is(FrameKind::closed, 2)) << "it waited";
  EXPECT_EQ(get(channel), "first");
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_EQ(get(channel), "second");
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 3));
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 4));
  EXPECT_EQ(get(channel), "third");
  EXPECT_THROW(channel.try_get(), QueueClosed);
}

}  // namespace
}  // namespace wyvern::test
