#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/channels/channel.hpp>

#include "channels/remote/home_scene.hpp"

// Frame by frame: what a home says to what a guest says, and what becomes of the queue.
namespace wyvern::test {
namespace {

using wire::flag;
using wire::FrameFlag;
using wire::FrameKind;

constexpr wire::FrameFlags answer = flag(FrameFlag::answer);
constexpr wire::FrameFlags now = flag(FrameFlag::now);
constexpr wire::FrameFlags lease = flag(FrameFlag::lease);

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class HomeTest : public ::testing::Test {
 protected:
  explicit HomeTest(const HomeOptions& options = {}, const LoopbackSettings& network = {})
      : scene_(options, network) {}

  Channel make_channel(const QueueOptions& options = {}) {
    return Channel::create(scene_.local, options, raw_bytes_type_hash, raw_bytes_type_name);
  }
  /// A guest that has opened that channel.
  ScriptedGuest& visitor(const Channel& channel) {
    ScriptedGuest& guest = scene_.add_guest();
    guest.introduce();
    guest.open(channel.reference());
    EXPECT_EQ(guest.next().kind, FrameKind::opened);
    return guest;
  }
  static void put(const Channel& channel, std::string_view text) { channel.put(bytes_of(text)); }
  static std::optional<std::string> get(const Channel& channel) {
    const auto bytes = channel.try_get();
    if (!bytes) return std::nullopt;
    return text_of(*bytes);
  }
  void lose(ScriptedGuest& guest) {
    guest.die();
    scene_.poll_until([&] {
      scene_.pass(std::chrono::milliseconds(100));
      return scene_.home->counters().lost == 1;
    });
    scene_.settle();
  }
  void expect_sound(const Channel& channel) {
    EXPECT_EQ(audit(scene_.node.segment(), channel.reference()), "");
  }

  HomeScene scene_;
};

// Introductions

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

// Opening

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
  EXPECT_EQ(terms.window, GuestLimits().window);
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

// Putting

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
  const std::uint32_t window = GuestLimits().window;
  for (std::uint32_t i = 0; i < window; ++i) guest.put(0, std::to_string(i));
  scene_.settle();
  ASSERT_EQ(guest.told.size(), 4U);
  for (std::uint32_t i = 1; i <= 4; ++i) EXPECT_TRUE(guest.next().is(FrameKind::credit, i * window / 4));
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

TEST_F(HomeTest, puts_into_a_closed_queue_are_turned_back) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  guest.put(1, "accepted", answer);
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
  guest.put(0, "ahead");
  guest.put(3, "waiting", answer);
  scene_.settle();
  channel.close();
  EXPECT_TRUE(guest.next().is(FrameKind::turned_back, 1));
  EXPECT_TRUE(guest.next().is(FrameKind::closed, 3));
  guest.put(4, "later", answer);
  EXPECT_TRUE(guest.next().is(FrameKind::closed, 4));
  EXPECT_EQ(get(channel), "accepted");
  EXPECT_THROW(channel.try_get(), QueueClosed);
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
  guest.put_large(0, registered->remote());
  guest.put(0, "small");
  guest.say(FrameKind::flush, 1);
  EXPECT_TRUE(guest.next().is(FrameKind::credit, 2));
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
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

// Getting

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
  for (std::uint32_t i = 0; i < 128; ++i) {
    a.say(FrameKind::get, i);
    scene_.settle();
    b.say(FrameKind::get, i);
    scene_.settle();
  }
  for (std::uint32_t i = 0; i < 128; ++i) {
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

// Counts

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

// Guests that end

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
  for (std::uint32_t i = 0; i < messages; ++i) guest.say(FrameKind::get, i);
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
  for (std::uint32_t i = 0; i < 300; ++i) deaf.say(FrameKind::get, i);
  scene_.settle();
  for (int i = 0; i < 310; ++i) put(channel, std::to_string(i));
  for (std::uint32_t i = 0; i < 10; ++i) {
    other.say(FrameKind::get, i);
    for (bool is_there = false; !is_there;) {
      scene_.home->poll(scene_.now);
      other.poll();
      is_there = !other.told.empty();
    }
    const Said said = other.next();
    ASSERT_TRUE(said.is(FrameKind::delivery, i));
    EXPECT_EQ(said.payload(), std::to_string(300 + i));
  }
}

// What no guest says

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
  guest.put(0, "1");
  guest.put(0, "2");
  scene_.settle();
  EXPECT_EQ(scene_.home->guests(), 1U);
  guest.put(0, "3");
  scene_.settle();
  EXPECT_EQ(scene_.home->counters().broken, 1U);
}

TEST_F(NarrowHomeTest, guest_with_more_operations_than_it_may_have_is_broken) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  for (std::uint32_t i = 0; i < 3; ++i) guest.say(FrameKind::get, i);
  scene_.settle();
  EXPECT_EQ(scene_.home->guests(), 1U);
  guest.say(FrameKind::get, 3);
  scene_.settle();
  EXPECT_EQ(scene_.home->counters().broken, 1U);
}

}  // namespace
}  // namespace wyvern::test
