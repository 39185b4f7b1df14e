#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include <wyvern/channels/channel.hpp>

#include "channels/remote/home_test.hpp"

// Guests of whose end their own node's agent tells, at a home that would wait for hours until silence told
// it.
namespace wyvern::test {
namespace {

class EndedGuestTest : public HomeTest {
 protected:
  EndedGuestTest()
      : HomeTest(
            {.watch = {.suspect_after = std::chrono::hours(100), .lost_after = std::chrono::hours(200)}}) {
    agent_.introduce();
  }

  void tell_ended(const ScriptedGuest& guest) {
    agent_.tell_ended(guest.puid());
    scene_.settle();
  }
  /// Nothing is on its way any more.
  void wait_until_gone() {
    while (scene_.home->guests() != 1) {
      scene_.pass(std::chrono::milliseconds(1));
      scene_.step();
    }
  }
  void lose_as_told(ScriptedGuest& guest) {
    guest.die();
    tell_ended(guest);
    wait_until_gone();
  }
  void expect_counted(std::uint64_t ended, std::uint64_t broken = 0) {
    EXPECT_EQ(scene_.home->counters().ended, ended);
    EXPECT_EQ(scene_.home->counters().lost, 0U);
    EXPECT_EQ(scene_.home->counters().broken, broken);
    EXPECT_EQ(scene_.reports.size(), broken);
  }

  ScriptedGuest& agent_ = scene_.add_guest(Puid::make(0, 2, agent_sequence));
};

TEST_F(EndedGuestTest, leases_come_back_without_waiting_for_silence) {
  const Channel channel = make_channel();
  put(channel, "one");
  ScriptedGuest& guest = visitor(channel);
  guest.say(FrameKind::get, 1, lease);
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 1));
  lose_as_told(guest);
  EXPECT_EQ(channel.try_lease()->delivery_count(), 1U);
  EXPECT_EQ(get(channel), "one");
  expect_counted(1);
  expect_sound(channel);
}

TEST_F(EndedGuestTest, what_was_sent_and_not_confirmed_is_not_delivered_again) {
  const Channel channel = make_channel();
  put(channel, "one");
  ScriptedGuest& guest = visitor(channel);
  guest.say(FrameKind::get, 1);
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 1));
  lose_as_told(guest);
  EXPECT_EQ(get(channel), std::nullopt);
  EXPECT_EQ(channel.join(), 1U) << "it is lost, and said to be";
  expect_sound(channel);
}

TEST_F(EndedGuestTest, gets_that_wait_take_nothing_from_then_on) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  guest.say(FrameKind::get, 1);
  guest.say(FrameKind::get, 2, lease);
  scene_.settle();
  tell_ended(guest);
  EXPECT_EQ(scene_.home->guests(), 2U) << "more of it may be on its way";
  put(channel, "one");
  scene_.settle();
  EXPECT_EQ(get(channel), "one");
  EXPECT_TRUE(guest.is_told_nothing());
}

TEST_F(EndedGuestTest, gets_that_come_after_their_guest_has_ended_take_nothing) {
  const Channel channel = make_channel();
  put(channel, "one");
  ScriptedGuest& guest = visitor(channel);
  tell_ended(guest);
  guest.say(FrameKind::get, 1);
  guest.say(FrameKind::cancel, 1);
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_EQ(get(channel), "one");
  wait_until_gone();
  expect_counted(1);
}

TEST_F(EndedGuestTest, what_it_had_sent_and_comes_later_counts) {
  const Channel channel = make_channel();
  put(channel, "leased");
  put(channel, "got");
  ScriptedGuest& guest = visitor(channel);
  guest.say(FrameKind::get, 1, lease);
  guest.say(FrameKind::get, 2);
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 1));
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 2));
  tell_ended(guest);
  guest.say(FrameKind::received, 2);
  guest.say(FrameKind::task_done, 1);
  guest.say(FrameKind::done, 1);
  guest.put_ahead({"put", "ahead"});
  guest.put(3, "answered", answer);
  wait_until_gone();
  for (const char* const text : {"put", "ahead", "answered"}) EXPECT_EQ(get(channel), text);
  EXPECT_EQ(get(channel), std::nullopt);
  for (int i = 0; i < 3; ++i) channel.task_done();
  EXPECT_EQ(channel.join(), 0U) << "nothing is lost";
  expect_counted(1);
  expect_sound(channel);
}

TEST_F(EndedGuestTest, goes_when_nothing_has_come_from_it_for_a_moment) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  tell_ended(guest);
  for (int i = 0; i < 10; ++i) {
    guest.put_ahead({"more"});
    scene_.settle();
    scene_.pass(std::chrono::milliseconds(15));
    scene_.settle();
    EXPECT_EQ(scene_.home->guests(), 2U);
  }
  EXPECT_LE(scene_.home->next_poll(), scene_.now + std::chrono::milliseconds(20));
  scene_.pass(std::chrono::milliseconds(20));
  scene_.settle();
  EXPECT_EQ(scene_.home->guests(), 1U);
}

TEST_F(EndedGuestTest, is_not_given_up_by_a_home_that_was_held_up_before_that_has_looked) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  scene_.home->process_ended(guest.puid());
  scene_.home->poll(scene_.now);
  scene_.pass(std::chrono::hours(1));
  scene_.home->poll(scene_.now);
  EXPECT_EQ(scene_.home->guests(), 2U);
  EXPECT_LE(scene_.home->next_poll(), scene_.now);
  scene_.home->poll(scene_.now);
  EXPECT_EQ(scene_.home->guests(), 1U);
}

TEST_F(EndedGuestTest, drops_what_waits_for_room) {
  const Channel channel = make_channel({.capacity = 1});
  put(channel, "first");
  ScriptedGuest& guest = visitor(channel);
  guest.put(1, "waits", answer);
  guest.put_ahead({"waits, too"});
  scene_.settle();
  lose_as_told(guest);
  EXPECT_EQ(get(channel), "first");
  scene_.settle();
  EXPECT_EQ(get(channel), std::nullopt);
  expect_sound(channel);
}

TEST_F(EndedGuestTest, late_frames_of_one_that_has_gone_are_a_strangers) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  tell_ended(guest);
  wait_until_gone();
  guest.put_ahead({"too late"});
  guest.say(FrameKind::close, 1);
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_EQ(scene_.home->counters().turned_away, 2U);
  EXPECT_EQ(get(channel), std::nullopt);
  put(channel, "open");
}

TEST_F(EndedGuestTest, hello_that_comes_after_its_process_has_ended_is_turned_away) {
  ScriptedGuest& guest = scene_.add_guest();
  tell_ended(guest);
  guest.say_hello();
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_EQ(scene_.home->guests(), 1U);
  EXPECT_EQ(scene_.home->counters().turned_away, 1U);
  ASSERT_EQ(scene_.reports.size(), 1U);
  EXPECT_NE(scene_.reports[0].find("has ended"), std::string::npos) << scene_.reports[0];
}

TEST_F(EndedGuestTest, is_told_of_twice_or_was_never_here_without_harm) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  ScriptedGuest& other = visitor(channel);
  tell_ended(guest);
  tell_ended(guest);
  agent_.tell_ended(Puid::make(0, 2, 4711));
  scene_.pass(std::chrono::milliseconds(20));
  scene_.settle();
  EXPECT_EQ(scene_.home->guests(), 2U);
  tell_ended(guest);
  expect_counted(1);
  other.put(1, "goes on", answer);
  EXPECT_TRUE(other.next().is(FrameKind::accepted, 1));
}

TEST_F(EndedGuestTest, that_had_left_is_missed_by_nobody) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  guest.say(FrameKind::leave, 1);
  EXPECT_TRUE(guest.next().is(FrameKind::reply, 1));
  lose_as_told(guest);
  expect_counted(0);
}

TEST_F(EndedGuestTest, loses_all_that_it_is_under_its_puid) {
  const Channel channel = make_channel();
  ScriptedGuest& before = visitor(channel);
  ScriptedGuest& now_another_program = scene_.add_guest(before.puid());
  now_another_program.introduce();
  tell_ended(before);
  wait_until_gone();
  expect_counted(2);
}

TEST_F(EndedGuestTest, is_told_of_by_the_agent_of_its_own_node_only) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  for (const Puid liar : {Puid::make(0, 3, agent_sequence), Puid::make(1, 2, agent_sequence),
                          Puid::make(0, 2, 99), guest.puid()}) {
    ScriptedGuest& other = liar == guest.puid() ? guest : scene_.add_guest(liar);
    if (liar != guest.puid()) {
      other.introduce();
      other.tell_ended(guest.puid());
      scene_.settle();
      EXPECT_EQ(scene_.home->guests(), 2U) << liar;
      guest.put(1, "is there", answer);
      EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
    } else {
      guest.tell_ended(guest.puid());
      scene_.settle();
    }
  }
  EXPECT_EQ(scene_.home->guests(), 1U);
  expect_counted(0, 4);
}

TEST_F(EndedGuestTest, is_no_agent_by_its_own_word) {
  agent_.tell_ended(agent_.puid());
  scene_.settle();
  EXPECT_EQ(scene_.home->guests(), 0U);
  expect_counted(0, 1);
}

TEST_F(EndedGuestTest, whose_large_message_is_on_its_way_leaves_nothing) {
  expect_large_put_leaves_nothing([this](ScriptedGuest& guest) { lose_as_told(guest); });
}

}  // namespace
}  // namespace wyvern::test
