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

// Who a home lets in, and whom it throws out.
namespace wyvern::test {
namespace {

TEST_F(HomeTest, who_has_the_key_is_welcome) {
  scene_.add_guest().introduce();
  EXPECT_EQ(scene_.home->guests(), 1U);
  EXPECT_EQ(scene_.home->counters().introduced, 1U);
}

TEST_F(HomeTest, who_has_another_key_is_turned_away) {
  ScriptedGuest& guest = scene_.add_guest();
  guest.send(wire::make_hello(JobKey::make(), {.puid = Puid(1), .address = guest.endpoint->address()},
                              scene_.endpoint.address()));
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_EQ(scene_.home->guests(), 0U);
  EXPECT_EQ(scene_.home->counters().turned_away, 1U);
  EXPECT_NE(scene_.reports.at(0).find("key of another job"), std::string::npos);
}

TEST_F(HomeTest, who_does_not_introduce_himself_is_turned_away) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = scene_.add_guest();
  guest.open(channel.reference());
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_EQ(scene_.home->counters().turned_away, 1U);
  guest.introduce();
  EXPECT_EQ(scene_.home->guests(), 1U);
}

TEST_F(HomeTest, hello_with_an_address_that_is_none_is_turned_away) {
  ScriptedGuest& guest = scene_.add_guest();
  guest.send(wire::make_hello(scene_.key, {.puid = Puid(1), .address = Bytes(9)}, scene_.endpoint.address()));
  scene_.settle();
  EXPECT_EQ(scene_.home->guests(), 0U);
  EXPECT_EQ(scene_.home->counters().turned_away, 1U);
}

TEST_F(HomeTest, opened_queue_is_described) {
  const Channel channel = make_channel({.capacity = 12, .inline_size = 64, .name = "results"});
  ScriptedGuest& guest = scene_.add_guest();
  guest.introduce();
  guest.open(channel.reference(), 7);
  const Said said = guest.next();
  ASSERT_EQ(said.kind, FrameKind::opened);
  EXPECT_EQ(said.opening, 7U);
  const wire::QueueTerms terms = wire::decode_opened(said.body);
  EXPECT_EQ(terms.capacity, 12U);
  EXPECT_EQ(terms.inline_size, 64U);
  EXPECT_EQ(terms.name, "results");
  EXPECT_EQ(terms.type_hash, raw_bytes_type_hash);
  EXPECT_EQ(terms.type_name, raw_bytes_type_name);
  EXPECT_EQ(terms.window, default_window);
}

TEST_F(HomeTest, queue_that_is_not_there_is_lost) {
  ScriptedGuest& guest = scene_.add_guest();
  guest.introduce();
  guest.open({.id = ObjectId(4294967999), .index = 3});
  const Said said = guest.next();
  ASSERT_EQ(said.kind, FrameKind::refused);
  EXPECT_EQ(said.error(), ErrorCode::queue_lost);
  EXPECT_EQ(scene_.home->guests(), 1U) << "it may open others";
}

TEST_F(HomeTest, queue_lives_while_a_guest_has_it_open) {
  std::optional<Channel> channel = make_channel();
  const ObjectReference object = channel->reference();
  ScriptedGuest& guest = visitor(*channel);
  channel.reset();
  guest.put(1, "still there", answer);
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
  guest.say(FrameKind::let_go, 0);
  scene_.settle();
  guest.open(object, 2);
  EXPECT_EQ(guest.next().kind, FrameKind::refused);
}

class BrokenGuest : public HomeTest {
 protected:
  void expect_thrown_out() {
    scene_.settle();
    EXPECT_EQ(scene_.home->guests(), 0U);
    EXPECT_EQ(scene_.home->counters().broken, 1U);
    ASSERT_EQ(scene_.reports.size(), 1U);
    put(channel_, "others go on");
    EXPECT_EQ(get(channel_), "others go on");
    expect_sound(channel_);
  }

  const Channel channel_ = make_channel();
  ScriptedGuest& guest_ = visitor(channel_);
};

TEST_F(BrokenGuest, that_sends_no_frames) {
  guest_.send(bytes_of("this is no frame"));
  expect_thrown_out();
}

TEST_F(BrokenGuest, that_receives_what_was_not_sent) {
  guest_.say(FrameKind::received, 5);
  expect_thrown_out();
}

TEST_F(BrokenGuest, that_receives_twice) {
  put(channel_, "one");
  guest_.say(FrameKind::get, 1);
  EXPECT_TRUE(guest_.next().is(FrameKind::delivery, 1));
  guest_.say(FrameKind::received, 1);
  guest_.say(FrameKind::received, 1);
  expect_thrown_out();
}

TEST_F(BrokenGuest, that_receives_what_it_leased) {
  put(channel_, "one");
  guest_.say(FrameKind::get, 1, lease);
  EXPECT_TRUE(guest_.next().is(FrameKind::delivery, 1));
  guest_.say(FrameKind::received, 1);
  scene_.settle();
  EXPECT_EQ(get(channel_), "one");
  expect_thrown_out();
}

TEST_F(BrokenGuest, that_reports_more_done_than_it_got) {
  guest_.say(FrameKind::task_done, 1);
  expect_thrown_out();
}

TEST_F(BrokenGuest, that_opens_two_queues_as_one) {
  guest_.open(channel_.reference(), 1);
  expect_thrown_out();
}

TEST_F(BrokenGuest, that_opens_with_garbage) {
  wire::FrameBuffer buffer(guest_.endpoint->largest_message());
  buffer.add(FrameKind::open, 0, 2, 0, bytes_of("no table"));
  guest_.send(buffer.bytes());
  expect_thrown_out();
}

TEST_F(BrokenGuest, that_begins_two_operations_of_one_number) {
  guest_.say(FrameKind::get, 1);
  guest_.say(FrameKind::get, 1);
  expect_thrown_out();
}

TEST_F(BrokenGuest, that_begins_an_operation_without_a_number) {
  guest_.say(FrameKind::get, 0);
  expect_thrown_out();
}

TEST_F(BrokenGuest, that_neither_waits_nor_wants_to_know) {
  guest_.put(0, "x", now);
  expect_thrown_out();
}

TEST_F(BrokenGuest, that_puts_handles_ahead) {
  guest_.put(0, "x", 0, std::array{channel_.reference()});
  expect_thrown_out();
}

TEST_F(HomeTest, frames_for_a_queue_that_was_let_go_are_late_and_ignored) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  guest.say(FrameKind::let_go, 0);
  guest.say(FrameKind::get, 1);
  guest.say(FrameKind::let_go, 0);
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_EQ(scene_.home->guests(), 1U);
}

class NarrowHomeTest : public HomeTest {
 protected:
  NarrowHomeTest() : HomeTest({.limits = {.window = 2, .operations = 3}}) {}
};

TEST_F(NarrowHomeTest, guest_that_puts_beyond_its_window_is_broken) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  put(channel, "full");
  guest.put_ahead({"1"});
  guest.put_ahead({"2"});
  scene_.settle();
  EXPECT_EQ(scene_.home->guests(), 1U);
  guest.put_ahead({"3"});
  scene_.settle();
  EXPECT_EQ(scene_.home->counters().broken, 1U);
}

TEST_F(NarrowHomeTest, operation_beyond_those_that_a_guest_may_have_is_refused) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  for (std::uint32_t i = 1; i <= 3; ++i) guest.say(FrameKind::get, i);
  scene_.settle();
  EXPECT_EQ(scene_.home->guests(), 1U);
  guest.say(FrameKind::get, 4);
  const Said refused = guest.next();
  ASSERT_TRUE(refused.is(FrameKind::refused, 4));
  EXPECT_EQ(refused.error(), ErrorCode::out_of_memory);
  put(channel, "for the first");
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 1));
  EXPECT_EQ(scene_.home->guests(), 1U);
}

class SlowTakerTest : public HomeTest {
 protected:
  SlowTakerTest()
      : HomeTest({.limits = {.unsent_bytes = 4 * LoopbackSettings().largest_message}},
                 {.most_sends = 8, .most_events = 1}) {}
};

TEST_F(SlowTakerTest, guest_that_asks_for_more_than_it_takes_is_broken) {
  ScriptedGuest& guest = scene_.add_guest();
  guest.introduce();
  wire::FrameBuffer questions(guest.endpoint->largest_message());
  const auto body = wire::encode_open({.id = ObjectId(1), .index = 0});
  while (questions.has_room(body.size())) questions.add(FrameKind::open, 0, 1, 1, body);
  scene_.poll_until([&] {
    guest.endpoint->send(0, questions.bytes());  // of what becomes of that it hears little
    return scene_.home->counters().broken == 1;
  });
  EXPECT_NE(scene_.reports.at(0).find("takes no answers"), std::string::npos);
}

class FewDeliveriesTest : public HomeTest {
 protected:
  FewDeliveriesTest() : HomeTest({.limits = {.deliveries = 2}}) {}
};

TEST_F(FewDeliveriesTest, gets_of_a_guest_that_holds_all_it_may_wait) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  for (int i = 1; i <= 4; ++i) put(channel, std::to_string(i));
  for (std::uint32_t i = 1; i <= 3; ++i) guest.say(FrameKind::get, i, i == 2 ? lease : 0);
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 1));
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 2));
  EXPECT_TRUE(guest.is_told_nothing());
  guest.say(FrameKind::received, 1);
  const Said third = guest.next();
  ASSERT_TRUE(third.is(FrameKind::delivery, 3));
  EXPECT_EQ(third.payload(), "3");
  guest.say(FrameKind::get, 4, lease);
  EXPECT_TRUE(guest.is_told_nothing());
  guest.say(FrameKind::done, 2);
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 2));
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 4));
  expect_sound(channel);
}

TEST_F(FewDeliveriesTest, get_that_waits_for_nothing_finds_nothing_while_its_guest_holds_all_it_may) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  for (int i = 1; i <= 3; ++i) put(channel, std::to_string(i));
  for (std::uint32_t i = 1; i <= 3; ++i) guest.say(FrameKind::get, i, now);
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 1));
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 2));
  EXPECT_TRUE(guest.next().is(FrameKind::nothing, 3));
  EXPECT_EQ(get(channel), "3");
}

TEST_F(FewDeliveriesTest, guest_that_holds_all_it_may_keeps_nothing_from_others) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  ScriptedGuest& other = visitor(channel);
  put(channel, "1");
  put(channel, "2");
  for (std::uint32_t i = 1; i <= 4; ++i) guest.say(FrameKind::get, i);
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 1));
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 2));
  other.say(FrameKind::get, 1);
  EXPECT_TRUE(other.is_told_nothing());
  put(channel, "3");
  EXPECT_TRUE(other.next().is(FrameKind::delivery, 1));
  EXPECT_TRUE(guest.is_told_nothing());
  guest.say(FrameKind::cancel, 3);
  EXPECT_TRUE(guest.next().is(FrameKind::nothing, 3));
}

TEST_F(FewDeliveriesTest, get_that_waits_for_what_its_guest_holds_ends_with_the_queue) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  put(channel, "1");
  put(channel, "2");
  for (std::uint32_t i = 1; i <= 3; ++i) guest.say(FrameKind::get, i, i == 3 ? 0 : lease);
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 1));
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 2));
  channel.close();
  EXPECT_TRUE(guest.next().is(FrameKind::closed, 3)) << "a get does not wait for leases";
}

}  // namespace
TEST_F(FewDeliveriesTest, get_ends_with_the_queue_also_where_something_was_given_back_and_taken_again) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  put(channel, "1");
  put(channel, "2");
  for (std::uint32_t i = 1; i <= 2; ++i) guest.say(FrameKind::get, i, lease);
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 1));
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 2));
  guest.say(FrameKind::give_back, 2);
  guest.say(FrameKind::get, 3, lease);
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 3));
  guest.say(FrameKind::get, 4);
  EXPECT_TRUE(guest.is_told_nothing());
  channel.close();
  EXPECT_TRUE(guest.next().is(FrameKind::closed, 4));
}

}  // namespace wyvern::test
