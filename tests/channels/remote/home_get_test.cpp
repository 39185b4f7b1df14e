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

// What guests get from a home, frame by frame, and what becomes of it when they end.
namespace wyvern::test {
namespace {

TEST_F(HomeTest, message_that_is_there_is_delivered_and_received) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  put(channel, "here");
  guest.say(FrameKind::get, 1);
  const Said said = guest.next();
  ASSERT_TRUE(said.is(FrameKind::delivery, 1));
  EXPECT_EQ(said.payload(), "here");
  guest.say(FrameKind::received, 1);
  scene_.settle();
  EXPECT_TRUE(channel.empty_approx());
  expect_sound(channel);
}

TEST_F(HomeTest, get_waits_until_there_is_a_message) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  guest.say(FrameKind::get, 1);
  EXPECT_TRUE(guest.is_told_nothing());
  guest.say(FrameKind::get, 2, now);
  EXPECT_TRUE(guest.next().is(FrameKind::nothing, 2)) << "one that waits holds up no other";
  put(channel, "here");
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 1));
}

TEST_F(HomeTest, gets_are_served_in_the_order_in_which_they_came) {
  const Channel channel = make_channel();
  ScriptedGuest& a = visitor(channel);
  ScriptedGuest& b = visitor(channel);
  for (std::uint32_t i = 1; i <= 128; ++i) {
    a.say(FrameKind::get, i);
    scene_.settle();
    b.say(FrameKind::get, i);
    scene_.settle();
  }
  for (std::uint32_t i = 1; i <= 128; ++i) {
    put(channel, "a" + std::to_string(i));
    const Said of_a = a.next();
    ASSERT_TRUE(of_a.is(FrameKind::delivery, i));
    EXPECT_EQ(of_a.payload(), "a" + std::to_string(i));
    put(channel, "b" + std::to_string(i));
    const Said of_b = b.next();
    ASSERT_TRUE(of_b.is(FrameKind::delivery, i));
    EXPECT_EQ(of_b.payload(), "b" + std::to_string(i));
  }
}

TEST_F(HomeTest, get_that_is_cancelled_takes_nothing) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  guest.say(FrameKind::get, 1);
  scene_.settle();
  guest.say(FrameKind::cancel, 1);
  EXPECT_TRUE(guest.next().is(FrameKind::nothing, 1));
  put(channel, "here");
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_EQ(get(channel), "here");
}

TEST_F(HomeTest, message_that_comes_too_late_is_given_back_to_its_place) {
  const Channel channel = make_channel({.max_deliveries = 1, .dead_letters = make_channel()});
  ScriptedGuest& guest = visitor(channel);
  put(channel, "first");
  put(channel, "second");
  guest.say(FrameKind::get, 1);
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 1));
  guest.say(FrameKind::cancel, 1);
  EXPECT_TRUE(guest.is_told_nothing()) << "it has ended by the delivery";
  guest.say(FrameKind::give_back, 1);
  scene_.settle();
  const auto back = channel.try_lease();
  ASSERT_TRUE(back);
  EXPECT_EQ(text_of(back->bytes()), "first");
  EXPECT_EQ(back->delivery_count(), 0U) << "nobody has had it";
}

TEST_F(HomeTest, lease_that_comes_too_late_is_given_back_as_if_it_had_never_been_delivered) {
  const Channel dead = make_channel();
  const Channel channel = make_channel({.max_deliveries = 1, .dead_letters = dead});
  ScriptedGuest& guest = visitor(channel);
  put(channel, "first");
  put(channel, "second");
  for (std::uint32_t operation = 1; operation <= 3; ++operation) {
    guest.say(FrameKind::get, operation, lease);
    const Said said = guest.next();
    ASSERT_TRUE(said.is(FrameKind::delivery, operation));
    EXPECT_EQ(said.payload(), "first");
    guest.say(FrameKind::give_back, operation, flag(FrameFlag::unseen));
  }
  scene_.settle();
  const auto back = channel.try_lease();
  ASSERT_TRUE(back);
  EXPECT_EQ(text_of(back->bytes()), "first");
  EXPECT_EQ(back->delivery_count(), 0U);
  EXPECT_TRUE(dead.empty_approx());
}

TEST_F(HomeTest, gets_end_when_the_queue_is_closed_and_drained) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  put(channel, "last");
  channel.close();
  guest.say(FrameKind::get, 1);
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 1));
  guest.say(FrameKind::get, 2);
  EXPECT_TRUE(guest.next().is(FrameKind::closed, 2));
  guest.say(FrameKind::get, 3, now);
  EXPECT_TRUE(guest.next().is(FrameKind::closed, 3));
}

TEST_F(HomeTest, gets_that_wait_end_when_the_queue_is_closed) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  guest.say(FrameKind::get, 1);
  guest.say(FrameKind::get, 2, lease);
  guest.say(FrameKind::get, 3);
  scene_.settle();
  guest.say(FrameKind::close, 4);
  const Said closing = guest.next();
  EXPECT_TRUE(closing.is(FrameKind::accepted, 4));
  EXPECT_TRUE(guest.next().is(FrameKind::closed, 1));
  EXPECT_TRUE(guest.next().is(FrameKind::closed, 2));
  EXPECT_TRUE(guest.next().is(FrameKind::closed, 3));
  EXPECT_THROW(put(channel, "later"), QueueClosed);
}

TEST_F(HomeTest, lease_on_a_closed_queue_waits_for_leases_that_may_come_back) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  put(channel, "leased");
  channel.close();
  guest.say(FrameKind::get, 1, lease);
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 1));
  guest.say(FrameKind::get, 2, lease);
  EXPECT_TRUE(guest.is_told_nothing());
  guest.say(FrameKind::give_back, 1);
  const Said again = guest.next();
  ASSERT_TRUE(again.is(FrameKind::delivery, 2));
  EXPECT_EQ(wire::read_cargo({.kind = again.kind, .flags = again.flags, .body = again.body}).cargo.deliveries,
            1U);
  guest.say(FrameKind::get, 3, lease);
  EXPECT_TRUE(guest.is_told_nothing());
  guest.say(FrameKind::done, 2);
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 2));
  EXPECT_TRUE(guest.next().is(FrameKind::closed, 3));
}

TEST_F(HomeTest, get_that_waits_for_nothing_looks_although_a_lease_waits_for_another_one) {
  const Channel channel = make_channel();
  put(channel, "leased");
  ScriptedGuest& guest = visitor(channel);
  guest.say(FrameKind::get, 1, lease);
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 1));
  channel.close();
  guest.say(FrameKind::get, 2, lease);
  guest.say(FrameKind::get, 3, now);
  EXPECT_TRUE(guest.next().is(FrameKind::closed, 3)) << "empty and ended are not confused";
  EXPECT_TRUE(guest.is_told_nothing());
}

TEST_F(HomeTest, large_message_is_read_by_the_guest) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  const Bytes large = pattern(3'000'000);
  channel.put(large);
  guest.say(FrameKind::get, 1);
  const Said said = guest.next();
  ASSERT_TRUE(said.is(FrameKind::delivery, 1));
  const wire::Frame frame{.kind = said.kind, .flags = said.flags, .body = said.body};
  Bytes copy(large.size());
  RemoteRead read(0, wire::read_cargo(frame).cargo.memory, copy);
  guest.endpoint->read(read);
  scene_.poll_until([&] { return guest.read_result.has_value(); });
  EXPECT_EQ(guest.read_result, ReadResult::done);
  EXPECT_EQ(copy, large);
  guest.say(FrameKind::received, 1);
  scene_.settle();
  expect_sound(channel);
}

TEST_F(HomeTest, size_is_what_is_there_with_what_was_given_back) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  put(channel, "one");
  put(channel, "two");
  guest.say(FrameKind::get, 1, lease);
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 1));
  guest.say(FrameKind::size, 2);
  EXPECT_EQ(guest.next().value(), 1U);
  guest.say(FrameKind::give_back, 1);
  guest.say(FrameKind::size, 3);
  EXPECT_EQ(guest.next().value(), 2U);
}

TEST_F(HomeTest, join_is_answered_when_all_is_reported_done) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  put(channel, "one");
  put(channel, "two");
  guest.say(FrameKind::join, 1);
  guest.say(FrameKind::get, 2);
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 2));
  guest.say(FrameKind::received, 2);
  guest.say(FrameKind::get, 3, lease);
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 3));
  guest.say(FrameKind::done, 3);
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 3));
  EXPECT_TRUE(guest.is_told_nothing());
  guest.say(FrameKind::task_done, 1);
  const Said joined = guest.next();
  ASSERT_TRUE(joined.is(FrameKind::value, 1));
  EXPECT_EQ(joined.value(), 0U);
}

TEST_F(HomeTest, message_may_be_reported_done_before_it_is_received) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  put(channel, "read where it lies");
  guest.say(FrameKind::get, 1);
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 1));
  guest.say(FrameKind::task_done, 1);
  guest.say(FrameKind::join, 2);
  EXPECT_TRUE(guest.is_told_nothing());
  guest.say(FrameKind::received, 1);
  EXPECT_TRUE(guest.next().is(FrameKind::value, 2));
}

TEST_F(HomeTest, guest_that_lets_a_queue_go_gives_back_what_it_holds) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  put(channel, "leased");
  guest.say(FrameKind::get, 1, lease);
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 1));
  guest.say(FrameKind::get, 2);
  guest.say(FrameKind::let_go, 0);
  scene_.settle();
  const auto back = channel.try_lease();
  ASSERT_TRUE(back);
  EXPECT_EQ(back->delivery_count(), 1U);
  EXPECT_EQ(scene_.home->guests(), 1U);
}

TEST_F(HomeTest, guest_that_is_lost_loses_what_it_got_and_not_what_it_leased) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  put(channel, "got");
  put(channel, "received");
  put(channel, "leased");
  guest.say(FrameKind::get, 1);
  guest.say(FrameKind::get, 2);
  guest.say(FrameKind::get, 3, lease);
  for (std::uint32_t i = 1; i <= 3; ++i) EXPECT_TRUE(guest.next().is(FrameKind::delivery, i));
  guest.say(FrameKind::received, 2);
  guest.say(FrameKind::get, 4);
  scene_.settle();
  lose(guest);
  EXPECT_EQ(scene_.home->guests(), 0U);
  EXPECT_EQ(get(channel), "leased");
  channel.task_done();
  EXPECT_EQ(channel.join(), 2U) << "lost";
  expect_sound(channel);
}

class SlowNetworkTest : public HomeTest {
 protected:
  SlowNetworkTest() : HomeTest({}, {.most_sends = 4}) {}

  std::vector<std::string> kept_;
  std::vector<ChannelLease> leases_;
};

TEST_F(SlowNetworkTest, what_a_lost_guest_was_not_sent_goes_back) {
  constexpr std::uint32_t messages = 10;
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  for (std::uint32_t i = 1; i <= messages; ++i) guest.say(FrameKind::get, i);
  scene_.settle();
  for (std::uint32_t i = 0; i < messages; ++i) {
    put(channel, std::to_string(i));
    scene_.home->poll(scene_.now);  // the network takes some of them: the guest does not poll
  }
  EXPECT_TRUE(channel.empty_approx());
  lose(guest);
  const std::uint64_t back = channel.size_approx();
  EXPECT_GT(back, 0U);
  EXPECT_LT(back, messages);
  for (std::uint64_t i = 0; i < back; ++i) {
    auto leased = channel.try_lease();
    ASSERT_TRUE(leased);
    EXPECT_EQ(leased->delivery_count(), 0U);
    kept_.push_back(text_of(leased->bytes()));
    leases_.push_back(std::move(*leased));
  }
  for (ChannelLease& leased : leases_) leased.done();
  std::ranges::sort(kept_);
  for (std::uint64_t i = 0; i < back; ++i) EXPECT_EQ(kept_[i], std::to_string(messages - back + i));
  EXPECT_EQ(channel.join(), messages - back) << "lost";
}

TEST_F(HomeTest, guest_that_does_not_poll_holds_up_no_other) {
  const Channel channel = make_channel();
  ScriptedGuest& deaf = visitor(channel);
  ScriptedGuest& other = visitor(channel);
  for (std::uint32_t i = 1; i <= 300; ++i) deaf.say(FrameKind::get, i);
  scene_.settle();
  for (int i = 0; i < 310; ++i) put(channel, std::to_string(i));
  for (std::uint32_t i = 1; i <= 10; ++i) {
    other.say(FrameKind::get, i);
    for (bool is_there = false; !is_there;) {
      scene_.home->poll(scene_.now);
      other.poll();
      is_there = !other.told.empty();
    }
    const Said said = other.next();
    ASSERT_TRUE(said.is(FrameKind::delivery, i));
    EXPECT_EQ(said.payload(), std::to_string(299 + i));
  }
}

}  // namespace
}  // namespace wyvern::test
