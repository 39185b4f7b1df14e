#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/channels/channel.hpp>

#include "channels/remote/home_test.hpp"

// What a guest asks a home for besides its queues: to make one, and what is passed on to the agent.
namespace wyvern::test {
namespace {

/// Keeps what it is asked.
class Agent : public RequestHandler {
 public:
  void request(GuestRequest request) override { asked.push_back(std::move(request)); }
  void cancel(std::uint64_t guest, std::uint32_t operation) override {
    cancelled.emplace_back(guest, operation);
  }

  std::vector<GuestRequest> asked;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> cancelled;
};

/// The agent is there before the home, and after it.
struct WithAgent {
  Agent agent;
};
class HomeRequestTest : private WithAgent, public HomeTest {
 protected:
  HomeRequestTest() : HomeTest({.limits = {.request_bytes = 1000}, .requests = &agent}) {}

  using WithAgent::agent;
  ScriptedGuest& stranger() {
    ScriptedGuest& guest = scene_.add_guest();
    guest.introduce();
    return guest;
  }
  void ask(ScriptedGuest& guest, std::uint32_t operation, std::string_view text, wire::FrameFlags flags = 0) {
    wire::FrameBuffer buffer(guest.endpoint->largest_message());
    buffer.add(FrameKind::request, flags, 0, operation, bytes_of(text));
    guest.send(buffer.bytes());
    scene_.settle();
  }
  void create(ScriptedGuest& guest, const ChannelSpec& spec, std::uint32_t opening = 1) {
    wire::FrameBuffer buffer(guest.endpoint->largest_message());
    buffer.add(FrameKind::create, 0, opening, 1, wire::encode_create(spec));
    guest.send(buffer.bytes());
  }
};

TEST_F(HomeRequestTest, created_queue_is_open) {
  ScriptedGuest& guest = stranger();
  create(guest, {.capacity = 3, .inline_size = 32, .type_hash = 5, .type_name = "T", .name = "results"});
  const Said said = guest.next();
  ASSERT_EQ(said.kind, FrameKind::opened);
  const wire::QueueTerms terms = wire::decode_opened(said.body);
  EXPECT_EQ(terms.capacity, 3U);
  EXPECT_EQ(terms.name, "results");
  guest.put(2, "message", answer);
  EXPECT_TRUE(guest.next().is(FrameKind::accepted, 2));
  const Channel channel = Channel::open(scene_.local, terms.object, 5, "T");
  EXPECT_EQ(get(channel), "message");
}

TEST_F(HomeRequestTest, created_queue_ends_with_the_guest_that_has_it) {
  ScriptedGuest& guest = stranger();
  create(guest, {.type_hash = raw_bytes_type_hash, .type_name = "bytes"});
  const ObjectReference object = wire::decode_opened(guest.next().body).object;
  guest.say(FrameKind::let_go, 0);
  scene_.settle();
  scene_.node.keeper().sweep();
  EXPECT_THROW(Channel::open(scene_.local, object, raw_bytes_type_hash, "bytes"), QueueLost);
}

TEST_F(HomeRequestTest, queue_that_cannot_be_is_refused_with_the_reason) {
  ScriptedGuest& guest = stranger();
  create(guest, {.capacity = 0});
  EXPECT_EQ(guest.next().error(), ErrorCode::invalid_argument);
  create(guest, {.max_deliveries = 5000});
  EXPECT_EQ(guest.next().error(), ErrorCode::invalid_argument);
  create(guest, {.capacity = 1});
  EXPECT_EQ(guest.next().kind, FrameKind::opened) << "the number of the opening is free";
}

TEST_F(HomeRequestTest, request_is_passed_on_and_answered) {
  ScriptedGuest& guest = stranger();
  ask(guest, 9, "what is it?");
  ASSERT_EQ(agent.asked.size(), 1U);
  const GuestRequest& request = agent.asked.front();
  EXPECT_EQ(text_of(request.bytes), "what is it?");
  EXPECT_EQ(request.operation, 9U);
  scene_.home->answer(request.guest, request.operation, bytes_of("an answer"));
  const Said said = guest.next();
  EXPECT_TRUE(said.is(FrameKind::reply, 9));
  EXPECT_EQ(text_of(said.body), "an answer");
}

TEST_F(HomeRequestTest, request_in_parts_is_passed_on_whole) {
  ScriptedGuest& guest = stranger();
  ask(guest, 9, "one, ", flag(FrameFlag::more));
  ask(guest, 9, "two, ", flag(FrameFlag::more));
  EXPECT_TRUE(agent.asked.empty());
  ask(guest, 9, "three");
  ask(guest, 10, "another");
  ASSERT_EQ(agent.asked.size(), 2U);
  EXPECT_EQ(text_of(agent.asked[0].bytes), "one, two, three");
  EXPECT_EQ(text_of(agent.asked[1].bytes), "another");
}

TEST_F(HomeRequestTest, refusal_carries_the_error) {
  ScriptedGuest& guest = stranger();
  ask(guest, 9, "more");
  scene_.home->refuse(agent.asked.front().guest, 9, OutOfMemory("there is none"));
  EXPECT_EQ(guest.next().error(), ErrorCode::out_of_memory);
}

TEST_F(HomeRequestTest, guest_that_asks_with_too_many_bytes_is_given_up) {
  ScriptedGuest& guest = stranger();
  ask(guest, 9, std::string(600, 'x'), flag(FrameFlag::more));
  ask(guest, 9, std::string(600, 'x'), flag(FrameFlag::more));
  EXPECT_EQ(scene_.home->counters().broken, 1U);
  EXPECT_TRUE(agent.asked.empty());
}

TEST_F(HomeRequestTest, guest_that_asks_for_more_and_more_is_given_up) {
  ScriptedGuest& guest = stranger();
  for (std::uint32_t i = 1; i <= GuestLimits().operations; ++i) ask(guest, i, "wait");
  EXPECT_EQ(scene_.home->counters().broken, 0U);
  scene_.home->answer(agent.asked.front().guest, 1, {});
  EXPECT_TRUE(guest.next().is(FrameKind::reply, 1));
  ask(guest, 1, "again");
  EXPECT_EQ(scene_.home->counters().broken, 0U);
  ask(guest, 5000, "one more");
  EXPECT_EQ(scene_.home->counters().broken, 1U);
}

TEST_F(HomeRequestTest, agent_is_told_what_nobody_waits_for_any_more) {
  ScriptedGuest& guest = stranger();
  ask(guest, 9, "first");
  const std::uint64_t number = agent.asked.front().guest;
  guest.current_opening = 0;
  guest.say(FrameKind::cancel, 9);
  scene_.settle();
  ASSERT_EQ(agent.cancelled.size(), 1U);
  EXPECT_EQ(agent.cancelled[0], (std::pair<std::uint64_t, std::uint32_t>(number, 9U)));

  lose(guest);
  ASSERT_EQ(agent.cancelled.size(), 2U);
  EXPECT_EQ(agent.cancelled[1], (std::pair<std::uint64_t, std::uint32_t>(number, 0U)));
  scene_.home->answer(number, 9, bytes_of("too late"));
  ScriptedGuest& next = stranger();
  EXPECT_TRUE(next.is_told_nothing()) << "a guest that takes the place of a lost one gets no answers of its";
}

TEST_F(HomeTest, home_without_an_agent_refuses_requests) {
  ScriptedGuest& guest = scene_.add_guest();
  guest.introduce();
  guest.current_opening = 0;
  guest.say(FrameKind::request, 1);
  EXPECT_EQ(guest.next().error(), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace wyvern::test
