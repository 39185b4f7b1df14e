#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/channels/channel.hpp>
#include <wyvern/core/error.hpp>

#include "channels/remote/home_test.hpp"
#include "transport/pattern.hpp"

// Handles of other nodes' queues in what guests put: it waits for stand-ins, which somebody else makes.
namespace wyvern::test {
namespace {

constexpr ObjectReference elsewhere{.id = ObjectId::make(0, 3, 17), .index = 5};
constexpr ObjectReference elsewhere_too{.id = ObjectId::make(0, 4, 17), .index = 5};

/// Keeps what it is asked for.
class Maker : public StandInMaker {
 public:
  void make(const ObjectReference& object) override { wanted.push_back(object); }
  std::vector<ObjectReference> wanted;
};

/// The maker is there before the home, and after it.
struct WithMaker {
  Maker maker;
};
class HomeStandInTest : private WithMaker, public HomeTest {
 protected:
  HomeStandInTest() : HomeTest({.stand_ins = &maker}) {}

  using WithMaker::maker;

  struct Made {
    ObjectReference reference;
    std::weak_ptr<int> kept;  // as long as the stand-in lives
  };
  /// As the agent answers what was asked first.
  Made make() {
    const ObjectReference object = maker.wanted.front();
    maker.wanted.erase(maker.wanted.begin());
    const auto kept = std::make_shared<int>();
    ObjectReference reference;
    {
      const std::lock_guard lock(scene_.node.keeper_mutex());
      reference = scene_.node.keeper().create_stand_in(scene_.home_member->process_index(), kept);
    }
    scene_.home->stand_in_made(object, std::make_shared<StandInHold>(scene_.home_member, reference));
    return {.reference = reference, .kept = kept};
  }
  /// The same for a message of the guest, "with a handle", which is in the queue then.
  Made put_and_make(ScriptedGuest& guest) {
    put(guest, 1, "with a handle", elsewhere);
    scene_.settle();
    const Made made = make();
    EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
    return made;
  }
  bool is_kept(const Made& made) {
    scene_.settle();
    scene_.node.sweep();
    return !made.kept.expired();
  }
  static void put(ScriptedGuest& guest, std::uint32_t operation, std::string_view text,
                  const ObjectReference& handle, wire::FrameFlags flags = answer) {
    guest.put(operation, text, flags, std::array{handle});
  }
};

TEST_F(HomeStandInTest, message_waits_for_what_stands_for_a_queue_elsewhere_and_keeps_it_until_it_is_read) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  put(guest, 1, "with a handle", elsewhere);
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_EQ(maker.wanted, std::vector{elsewhere});
  EXPECT_EQ(get(channel), std::nullopt);
  const Made made = make();
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
  EXPECT_TRUE(is_kept(made));
  expect_sound(channel);
  {
    const auto message = channel.take();
    EXPECT_EQ(text_of(message.bytes()), "with a handle");
    EXPECT_TRUE(is_kept(made));
  }
  EXPECT_FALSE(is_kept(made));
}

TEST_F(HomeStandInTest, what_is_put_behind_it_comes_behind_it) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  put(guest, 1, "first", elsewhere);
  guest.put_ahead({"second"});
  guest.put(2, "third", answer);
  EXPECT_TRUE(guest.is_told_nothing());
  make();
  scene_.settle();
  EXPECT_EQ(get(channel), "first");
  EXPECT_EQ(get(channel), "second");
  EXPECT_EQ(get(channel), "third");
}

TEST_F(HomeStandInTest, handles_of_all_nodes_are_in_one_message) {
  const Channel channel = make_channel();
  std::optional<Channel> carried = make_channel();
  const ObjectReference here = carried->reference();
  ScriptedGuest& guest = visitor(channel);
  guest.open(here, 2);
  EXPECT_EQ(guest.next().kind, FrameKind::opened);
  guest.current_opening = 1;
  guest.put(1, "three", answer, std::array{elsewhere, here, elsewhere_too});
  scene_.settle();
  const Made first = make();
  EXPECT_TRUE(guest.is_told_nothing());
  const Made second = make();
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
  guest.current_opening = 2;
  guest.say(FrameKind::let_go, 0);
  carried.reset();
  EXPECT_TRUE(is_kept(first));
  EXPECT_TRUE(is_kept(second));
  EXPECT_TRUE(Channel::exists(scene_.local, here));
  EXPECT_EQ(get(channel), "three");
  EXPECT_FALSE(is_kept(first));
  EXPECT_FALSE(is_kept(second));
  EXPECT_FALSE(Channel::exists(scene_.local, here));
}

TEST_F(HomeStandInTest, large_message_carries_it_too) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  Bytes large = pattern(300'000);
  const auto registered = guest.endpoint->register_memory(large);
  wire::FrameBuffer buffer(guest.endpoint->largest_message());
  buffer.add_cargo(FrameKind::put, answer, 1, 1,
                   {.handles = std::array{elsewhere}, .memory = registered->remote()});
  guest.send(buffer.bytes());
  EXPECT_TRUE(guest.is_told_nothing());
  const Made made = make();
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
  EXPECT_TRUE(is_kept(made));
  EXPECT_EQ(channel.get(), large);
  EXPECT_FALSE(is_kept(made));
}

TEST_F(HomeStandInTest, what_a_message_names_is_not_asked_for_again) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  put(guest, 1, "first", elsewhere);
  put(guest, 2, "second", elsewhere);
  scene_.settle();
  const Made made = make();
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 2));
  EXPECT_EQ(get(channel), "first");
  EXPECT_TRUE(is_kept(made));
  put(guest, 3, "third", elsewhere);
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 3));
  EXPECT_TRUE(maker.wanted.empty());
  EXPECT_EQ(get(channel), "second");
  EXPECT_TRUE(is_kept(made));
  EXPECT_EQ(get(channel), "third");
  EXPECT_FALSE(is_kept(made));
  put(guest, 4, "fourth", elsewhere);
  scene_.settle();
  EXPECT_EQ(maker.wanted, std::vector{elsewhere});
}

TEST_F(HomeStandInTest, message_is_refused_with_what_it_carries_and_the_next_one_is_another_attempt) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  put(guest, 1, "in vain", elsewhere);
  scene_.settle();
  scene_.home->stand_in_refused(elsewhere, NodeLost("node 3 is lost"));
  const Said said = guest.next();
  ASSERT_TRUE(said.is(FrameKind::refused, 1));
  EXPECT_EQ(said.error(), ErrorCode::node_lost);
  put(guest, 2, "again", elsewhere);
  scene_.settle();
  EXPECT_EQ(maker.wanted.size(), 2U);
  maker.wanted.pop_back();
  make();
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 2));
  EXPECT_EQ(get(channel), "again");
}

TEST_F(HomeStandInTest, put_that_is_cancelled_meanwhile_leaves_nothing) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  put(guest, 1, "too late", elsewhere);
  guest.say(FrameKind::cancel, 1);
  EXPECT_TRUE(guest.next().is(FrameKind::nothing, 1));
  EXPECT_FALSE(is_kept(make()));
  EXPECT_EQ(get(channel), std::nullopt);
}

TEST_F(HomeStandInTest, put_of_a_guest_that_dies_meanwhile_leaves_nothing) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  put(guest, 1, "too late", elsewhere);
  scene_.settle();
  lose(guest);
  EXPECT_FALSE(is_kept(make()));
  EXPECT_EQ(get(channel), std::nullopt);
  expect_sound(channel);
}

TEST_F(HomeStandInTest, second_stand_in_that_is_made_for_an_object_goes) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  put(guest, 1, "cancelled", elsewhere);
  guest.say(FrameKind::cancel, 1);
  EXPECT_TRUE(guest.next().is(FrameKind::nothing, 1));
  put(guest, 2, "again", elsewhere);
  scene_.settle();
  ASSERT_EQ(maker.wanted.size(), 2U);
  const Made first = make();
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 2));
  EXPECT_FALSE(is_kept(make()));
  EXPECT_TRUE(is_kept(first));
}

TEST_F(HomeStandInTest, put_that_does_not_wait_for_room_still_waits_for_it) {
  const Channel channel = make_channel({.capacity = 1});
  ScriptedGuest& guest = visitor(channel);
  put(guest, 1, "there is room", elsewhere, answer | now);
  EXPECT_TRUE(guest.is_told_nothing());
  const Made made = make();
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 1));
  put(guest, 2, "there is none", elsewhere_too, answer | now);
  EXPECT_TRUE(guest.is_told_nothing());
  EXPECT_FALSE(is_kept(make()));
  EXPECT_TRUE(guest.next().is(FrameKind::nothing, 2));
  EXPECT_TRUE(is_kept(made));
}

TEST_F(HomeStandInTest, unread_message_goes_with_its_queue_and_so_does_what_it_carries) {
  std::optional<Channel> channel = make_channel();
  ScriptedGuest& guest = visitor(*channel);
  const Made made = put_and_make(guest);
  guest.say(FrameKind::let_go, 0);
  channel.reset();
  EXPECT_FALSE(is_kept(made));
}

TEST_F(HomeStandInTest, message_on_its_way_to_a_guest_keeps_it_until_that_has_received_it) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  const Made made = put_and_make(guest);
  guest.say(FrameKind::get, 2);
  EXPECT_TRUE(guest.next().is(FrameKind::delivery, 2));
  EXPECT_TRUE(is_kept(made));
  guest.say(FrameKind::received, 2);
  EXPECT_FALSE(is_kept(made));
}

TEST_F(HomeStandInTest, stand_in_is_no_queue_that_anybody_can_open) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  const Made made = put_and_make(guest);
  guest.open(made.reference, 2);
  const Said said = guest.next();
  ASSERT_EQ(said.kind, FrameKind::refused);
  EXPECT_EQ(said.error(), ErrorCode::queue_lost);
  EXPECT_TRUE(is_kept(made));
  EXPECT_EQ(get(channel), "with a handle");
  EXPECT_FALSE(is_kept(made));
}

TEST_F(HomeStandInTest, death_of_a_process_leaves_stand_ins_alone) {
  const Channel channel = make_channel();
  const auto other = scene_.node.join();
  abandon(Channel::open(other, channel.reference(), raw_bytes_type_hash, raw_bytes_type_name));
  ScriptedGuest& guest = visitor(channel);
  const Made made = put_and_make(guest);
  scene_.node.bury(*other);
  EXPECT_TRUE(is_kept(made));
  EXPECT_EQ(get(channel), "with a handle");
  EXPECT_FALSE(is_kept(made));
}

TEST_F(HomeTest, home_without_a_way_to_other_nodes_refuses_handles_of_theirs) {
  const Channel channel = make_channel();
  ScriptedGuest& guest = visitor(channel);
  guest.put(1, "with a handle", answer, std::array{elsewhere});
  const Said said = guest.next();
  ASSERT_TRUE(said.is(FrameKind::refused, 1));
  EXPECT_EQ(said.error(), ErrorCode::invalid_argument);
  EXPECT_EQ(scene_.home->guests(), 1U);
}

}  // namespace
}  // namespace wyvern::test
