#include <string>

#include <gtest/gtest.h>

#include "channels/remote/home_test.hpp"

// What a home does with messages that a guest puts together and wants one answer for.
namespace wyvern::test {
namespace {

class HomeRunTest : public HomeTest {
 protected:
  explicit HomeRunTest(const HomeOptions& options = {}) : HomeTest(options) {}

  static void expect_end(const Said& said, FrameKind kind, std::uint32_t operation, std::uint64_t count) {
    ASSERT_TRUE(said.is(kind, operation)) << said;
    EXPECT_EQ(said.value(), count);
  }
};

TEST_F(HomeRunTest, is_answered_once_when_all_of_it_is_in) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  guest.put_run(1, {"1", "", "3"});
  expect_end(guest.next(), FrameKind::went_in, 1, 3);
  EXPECT_TRUE(guest.is_told_nothing());
  for (const char* text : {"1", "", "3"}) EXPECT_EQ(get(channel), text);
  expect_sound(channel);
}

TEST_F(HomeRunTest, waits_for_room_behind_what_was_put_before_and_in_front_of_what_comes_later) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  guest.put_ahead({"1", "2"});
  guest.put_run(1, {"3", "4"});
  guest.put(2, "5", answer);
  EXPECT_TRUE(guest.next().is(FrameKind::credit, 1));
  EXPECT_EQ(get(channel), "1");
  EXPECT_TRUE(guest.next().is(FrameKind::credit, 2));
  EXPECT_EQ(get(channel), "2");
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_EQ(get(channel), "3");
  expect_end(guest.next(), FrameKind::went_in, 1, 2);
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_EQ(get(channel), "4");
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 2));
  EXPECT_EQ(get(channel), "5");
  expect_sound(channel);
}

TEST_F(HomeRunTest, that_waits_for_nothing_says_how_much_of_it_there_was_room_for) {
  const Channel channel = make_channel({.capacity = 2});
  ScriptedGuest& guest = visitor(channel);
  guest.put_run(1, {"1", "2", "3"}, answer | now);
  expect_end(guest.next(), FrameKind::went_in, 1, 2);
  guest.put_run(2, {"4"}, answer | now);
  expect_end(guest.next(), FrameKind::went_in, 2, 0);
  guest.put(3, "held", answer);
  scene_.settle();
  EXPECT_EQ(get(channel), "1");
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 3));
  EXPECT_EQ(get(channel), "2");
  EXPECT_EQ(get(channel), "held");
  EXPECT_EQ(get(channel), std::nullopt);
}

TEST_F(HomeRunTest, that_waits_for_nothing_does_not_overtake_what_is_held) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  guest.put_ahead({"1", "2"});
  guest.put_run(1, {"3"}, answer | now);
  expect_end(guest.next(), FrameKind::went_in, 1, 0);  // although the second is all that waits
  EXPECT_TRUE(guest.next().is(FrameKind::credit, 1));
  EXPECT_EQ(get(channel), "1");
  scene_.settle();
  EXPECT_EQ(get(channel), "2");
  scene_.settle();
  EXPECT_EQ(get(channel), std::nullopt);
}

TEST_F(HomeRunTest, that_is_cancelled_stays_out_but_for_what_is_in) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  guest.put_run(1, {"1", "2", "3"});
  guest.put_run(2, {"4", "5"});
  scene_.settle();
  EXPECT_EQ(get(channel), "1");
  EXPECT_TRUE(guest.is_told_nothing());
  guest.say(FrameKind::cancel, 2);
  guest.say(FrameKind::cancel, 1);
  expect_end(guest.next(), FrameKind::went_in, 2, 0);
  expect_end(guest.next(), FrameKind::went_in, 1, 2);
  guest.say(FrameKind::cancel, 1);
  EXPECT_TRUE(guest.is_told_nothing()) << "an operation ends once";
  EXPECT_EQ(get(channel), "2");
  scene_.settle();
  EXPECT_EQ(get(channel), std::nullopt);
  expect_sound(channel);
}

TEST_F(HomeRunTest, that_meets_a_close_says_how_much_of_it_is_in) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  guest.put_run(1, {"1", "2", "3"});
  guest.put_run(2, {"4"});
  scene_.settle();
  channel.close();
  expect_end(guest.next(), FrameKind::closed_after, 1, 1);
  expect_end(guest.next(), FrameKind::closed_after, 2, 0);
  guest.put_run(3, {"5"});
  expect_end(guest.next(), FrameKind::closed_after, 3, 0);
  EXPECT_EQ(get(channel), "1");
}

TEST_F(HomeRunTest, close_of_its_own_process_turns_back_what_waits_of_it) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  guest.put_run(1, {"1", "2", "3"});
  guest.say(FrameKind::close, 2);
  guest.put_run(3, {"4"});
  expect_end(guest.next(), FrameKind::closed_after, 1, 1);
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 2));
  expect_end(guest.next(), FrameKind::closed_after, 3, 0);
  EXPECT_EQ(get(channel), "1");
}

TEST_F(HomeRunTest, ends_with_a_message_that_can_never_fit) {
  const Channel channel = make_channel({.max_bytes = 512, .inline_size = 64});
  ScriptedGuest& guest = visitor(channel);
  guest.put_run(1, {"before", std::string(1000, 'x'), "behind"});
  const Said said = guest.next();
  ASSERT_TRUE(said.is(FrameKind::refused, 1));
  EXPECT_EQ(said.error(), ErrorCode::too_large);
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_EQ(get(channel), "before");
  EXPECT_EQ(get(channel), std::nullopt);
  guest.put_run(1, {"the number is free"});
  expect_end(guest.next(), FrameKind::went_in, 1, 1);
}

TEST_F(HomeRunTest, ends_while_it_waits_with_a_message_that_can_never_fit) {
  const Channel channel = make_channel({.capacity = 1, .max_bytes = 512, .inline_size = 64});
  ScriptedGuest& guest = visitor(channel);
  guest.put_run(1, {"before", std::string(1000, 'x'), "behind"});
  guest.put_ahead({"later"});
  scene_.settle();
  EXPECT_EQ(get(channel), "before");
  ASSERT_TRUE(guest.next().is(FrameKind::refused, 1));
  EXPECT_TRUE(guest.next().is(FrameKind::credit, 1));
  EXPECT_EQ(get(channel), "later");
  expect_sound(channel);
}

TEST_F(HomeRunTest, of_a_guest_that_lets_the_queue_go_stays_out_but_for_what_is_in) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  guest.put_run(1, {"1", "2"});
  guest.say(FrameKind::let_go, 0);
  scene_.settle();
  EXPECT_EQ(get(channel), "1");
  scene_.settle();
  EXPECT_EQ(get(channel), std::nullopt);
  expect_sound(channel);
}

/// A home that holds little.
class SmallHomeRunTest : public HomeRunTest {
 protected:
  static constexpr std::size_t text_bytes = 1000;
  static constexpr std::size_t held_bytes = 2 * wire::held_bytes(text_bytes);

  SmallHomeRunTest() : HomeRunTest({.limits = {.held_bytes = held_bytes}}) {}
};

TEST_F(SmallHomeRunTest, more_than_a_home_holds_is_refused) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  guest.put_run(1, {"1", std::string(held_bytes, 'x')});
  const Said said = guest.next();
  ASSERT_TRUE(said.is(FrameKind::refused, 1));
  EXPECT_EQ(said.error(), ErrorCode::out_of_memory);
}

/// What a run took while it was held is free again, whatever its end.
TEST_F(SmallHomeRunTest, that_has_ended_is_held_no_more) {
  const std::string text(text_bytes, 'x');
  const Channel channel = make_channel({.capacity = 1});
  put(channel, "full");
  ScriptedGuest& guest = visitor(channel);
  const auto hold_all_that_may_be = [&](std::uint32_t operation) {
    guest.put_run(operation, {text, text});
    EXPECT_TRUE(guest.is_told_nothing());
  };
  for (std::uint32_t operation = 1; operation < 4; ++operation) {
    hold_all_that_may_be(operation);
    guest.say(FrameKind::cancel, operation);
    expect_end(guest.next(), FrameKind::went_in, operation, 0);
  }
  hold_all_that_may_be(4);
  for (const char* got : {"full", text.c_str(), text.c_str()}) {
    scene_.settle();
    EXPECT_EQ(get(channel), got);
  }
  expect_end(guest.next(), FrameKind::went_in, 4, 2);
  put(channel, "full");
  hold_all_that_may_be(5);
  lose(guest);
  EXPECT_EQ(get(channel), "full");
  scene_.settle();
  EXPECT_EQ(get(channel), std::nullopt) << "what the dead had put waits no more";
  expect_sound(channel);
}

TEST_F(HomeRunTest, with_a_number_and_no_answer_ends_the_visit) {
  const Channel channel = make_channel();
  for (const auto& [operation, flags] : {std::pair{1U, now}, std::pair{0U, answer}, std::pair{0U, now}}) {
    ScriptedGuest& guest = visitor(channel);
    const std::uint64_t before = scene_.home->counters().broken;
    guest.put_run(operation, {"1"}, flags);
    scene_.settle();
    EXPECT_EQ(scene_.home->counters().broken, before + 1);
  }
  EXPECT_EQ(get(channel), std::nullopt);
}

}  // namespace
}  // namespace wyvern::test
