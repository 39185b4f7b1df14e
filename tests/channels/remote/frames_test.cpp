#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/channels/remote/frame_buffer.hpp>
#include <wyvern/channels/remote/frame_reader.hpp>
#include <wyvern/channels/remote/put_run.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern::wire {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::size_t largest_message = 512;
constexpr std::size_t header_bytes = sizeof(FrameHeader);

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }
std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The one frame of a message, which must have been sent by a guest.
Frame only_frame(std::span<const std::byte> message, Sender sender = Sender::guest) {
  FrameReader reader(message, sender);
  const std::optional<Frame> frame = reader.next();
  if (!frame || reader.next()) throw std::logic_error("not one frame");
  return *frame;
}

/// A message of one put whose head is changed.
Bytes changed_put(std::size_t position, std::uint8_t value, std::size_t payload = 8) {
  FrameBuffer buffer(largest_message);
  const Bytes content(payload);
  buffer.add_cargo(FrameKind::put, 0, 1, 2, {.payload = content});
  Bytes message(buffer.bytes().begin(), buffer.bytes().end());
  message.at(position) = std::byte{value};
  return message;
}

void expect_malformed(std::span<const std::byte> message, Sender sender = Sender::guest) {
  FrameReader reader(message, sender);
  EXPECT_THROW(reader.next(), DecodeError);
}

constexpr std::array of_guests{FrameKind::let_go,    FrameKind::get,       FrameKind::cancel,
                               FrameKind::received,  FrameKind::give_back, FrameKind::done,
                               FrameKind::task_done, FrameKind::join,      FrameKind::size,
                               FrameKind::flush,     FrameKind::close};
constexpr std::array of_homes{FrameKind::credit, FrameKind::accepted, FrameKind::nothing, FrameKind::closed,
                              FrameKind::turned_back};

TEST(Frames, none_are_in_no_bytes) { EXPECT_FALSE(FrameReader({}, Sender::guest).next()); }

TEST(Frames, come_out_as_they_went_in) {
  FrameBuffer buffer(largest_message);
  for (std::uint32_t i = 0; i < of_guests.size(); ++i) buffer.add(of_guests[i], 0, i, 100 + i);
  buffer.add(FrameKind::open, 0, 7, 8, bytes_of("table"));
  FrameReader reader(buffer.bytes(), Sender::guest);
  for (std::uint32_t i = 0; i < of_guests.size(); ++i) {
    const std::optional<Frame> frame = reader.next();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->kind, of_guests[i]);
    EXPECT_EQ(frame->flags, 0);
    EXPECT_EQ(frame->opening, i);
    EXPECT_EQ(frame->operation, 100 + i);
    EXPECT_TRUE(frame->body.empty());
  }
  const std::optional<Frame> open = reader.next();
  ASSERT_TRUE(open);
  EXPECT_EQ(open->kind, FrameKind::open);
  EXPECT_EQ(text_of(open->body), "table");
  EXPECT_FALSE(reader.next());
}

TEST(Frames, of_the_other_side_are_malformed) {
  for (const FrameKind kind : of_guests) {
    FrameBuffer buffer(largest_message);
    buffer.add(kind, 0, 1, 2);
    EXPECT_NO_THROW(only_frame(buffer.bytes(), Sender::guest)) << name_of(kind);
    expect_malformed(buffer.bytes(), Sender::home);
  }
  for (const FrameKind kind : of_homes) {
    FrameBuffer buffer(largest_message);
    buffer.add(kind, 0, 1, 2);
    EXPECT_NO_THROW(only_frame(buffer.bytes(), Sender::home)) << name_of(kind);
    expect_malformed(buffer.bytes(), Sender::guest);
  }
}

TEST(Frames, in_front_of_a_malformed_one_are_there) {
  FrameBuffer buffer(largest_message);
  buffer.add(FrameKind::size, 0, 1, 2);
  buffer.add(FrameKind::size, 0, 3, 4);
  Bytes message(buffer.bytes().begin(), buffer.bytes().end());
  message.pop_back();
  FrameReader reader(message, Sender::guest);
  EXPECT_EQ(reader.next()->opening, 1U);
  EXPECT_THROW(reader.next(), DecodeError);
}

TEST(Frames, of_unknown_kinds_are_malformed) {
  for (const int kind : {0, 19, 63, 74, 255})
    expect_malformed(changed_put(0, static_cast<std::uint8_t>(kind)));
  EXPECT_STREQ(name_of(FrameKind::put), "put");
  EXPECT_STREQ(name_of(static_cast<FrameKind>(19)), "unknown");
  EXPECT_STREQ(name_of(static_cast<FrameKind>(255)), "unknown");
}

TEST(Frames, with_flags_of_other_kinds_are_malformed) {
  expect_malformed(changed_put(1, flag(FrameFlag::lease)));
  expect_malformed(changed_put(1, 1U << 5));
  expect_malformed(changed_put(2, 1));
  expect_malformed(changed_put(3, 1));
}

TEST(Frames, of_messages_that_go_back_may_say_that_nobody_has_had_them) {
  for (const FrameKind kind : of_guests) {
    FrameBuffer buffer(largest_message);
    buffer.add(kind, flag(FrameFlag::unseen), 1, 2);
    if (kind == FrameKind::give_back)
      EXPECT_TRUE(only_frame(buffer.bytes()).has(FrameFlag::unseen));
    else
      expect_malformed(buffer.bytes());
  }
}

TEST(Frames, that_are_cut_anywhere_are_malformed) {
  const Bytes whole = changed_put(1, 0);
  for (std::size_t size = 1; size < whole.size(); ++size) expect_malformed(std::span(whole).first(size));
  EXPECT_NO_THROW(only_frame(whole));
}

TEST(Frames, that_say_to_be_longer_than_the_message_are_malformed) {
  for (std::size_t position = 4; position < 8; ++position) expect_malformed(changed_put(position, 255));
}

TEST(Frames, with_a_body_where_none_belongs_are_malformed) {
  for (const FrameKind kind : of_guests) {
    FrameBuffer buffer(largest_message);
    buffer.add(kind, 0, 1, 2, bytes_of("x"));
    expect_malformed(buffer.bytes());
  }
}

TEST(FrameBuffer, has_room_until_a_message_is_as_large_as_may_be) {
  FrameBuffer buffer(3 * header_bytes + 5);
  EXPECT_TRUE(buffer.empty());
  EXPECT_TRUE(buffer.has_room(2 * header_bytes + 5));
  EXPECT_FALSE(buffer.has_room(2 * header_bytes + 6));
  buffer.add(FrameKind::size, 0, 1, 1);
  buffer.add(FrameKind::size, 0, 1, 2);
  EXPECT_FALSE(buffer.empty());
  EXPECT_TRUE(buffer.has_room(5));
  EXPECT_FALSE(buffer.has_room(6));
  buffer.add_cargo(FrameKind::put, 0, 1, 3, {.payload = bytes_of("12345")});
  EXPECT_FALSE(buffer.has_room(0));
  buffer.clear();
  EXPECT_TRUE(buffer.empty());
  EXPECT_TRUE(buffer.has_room(2 * header_bytes + 5));
}

/// Of each frame of messages that are put together: the opening, and these.
std::vector<std::string> puts_in(std::span<const std::byte> message) {
  std::vector<std::string> runs;
  FrameReader reader(message, Sender::guest);
  while (const auto frame = reader.next()) {
    if (frame->kind != FrameKind::puts) continue;
    std::string& run = runs.emplace_back(std::to_string(frame->opening) + ":");
    for (PutRun puts(frame->body); !puts.empty(); puts.pop()) run += " " + text_of(puts.front());
  }
  return runs;
}

TEST(FrameBuffer, puts_messages_ahead_in_one_frame_as_long_as_nothing_else_comes) {
  FrameBuffer buffer(largest_message);
  buffer.add_put_ahead(1, bytes_of("a"));
  buffer.add_put_ahead(1, bytes_of(""));
  buffer.add_put_ahead(1, bytes_of("bc"));
  buffer.add_put_ahead(2, bytes_of("d"));
  buffer.add(FrameKind::size, 0, 2, 1);
  buffer.add_put_ahead(2, bytes_of("e"));
  EXPECT_EQ(puts_in(buffer.bytes()), (std::vector<std::string>{"1: a  bc", "2: d", "2: e"}));
  buffer.clear();
  buffer.add_put_ahead(2, bytes_of("f"));
  EXPECT_EQ(puts_in(buffer.bytes()), (std::vector<std::string>{"2: f"}));
}

TEST(FrameBuffer, puts_messages_with_one_answer_in_one_frame_as_long_as_nothing_else_comes) {
  FrameBuffer buffer(largest_message);
  const auto add = [&](std::uint32_t opening, std::uint32_t operation, std::string_view text) {
    buffer.add_to_run(flag(FrameFlag::answer), opening, operation, bytes_of(text));
  };
  EXPECT_FALSE(buffer.ends_with_run(1, 7));
  add(1, 7, "a");
  add(1, 7, "b");
  EXPECT_TRUE(buffer.ends_with_run(1, 7));
  EXPECT_FALSE(buffer.ends_with_run(1, 8));
  EXPECT_FALSE(buffer.ends_with_run(2, 7));
  add(1, 8, "c");
  buffer.add(FrameKind::flush, 0, 1, 9);
  EXPECT_FALSE(buffer.ends_with_run(1, 8));
  add(1, 8, "d");
  EXPECT_EQ(puts_in(buffer.bytes()), (std::vector<std::string>{"1: a b", "1: c", "1: d"}));
  buffer.clear();
  EXPECT_FALSE(buffer.ends_with_run(1, 8));
}

TEST(PutRun, knows_what_is_left_of_it) {
  FrameBuffer buffer(largest_message);
  buffer.add_put_ahead(1, bytes_of("first"));
  buffer.add_put_ahead(1, bytes_of("second"));
  PutRun run(only_frame(buffer.bytes()).body);
  EXPECT_EQ(run.count(), 2U);
  EXPECT_EQ(run.held_bytes(), held_bytes(5) + held_bytes(6));
  EXPECT_EQ(run.body().size(), PutRun::bytes_of(5) + PutRun::bytes_of(6));
  run.pop();
  EXPECT_EQ(run.count(), 1U);
  EXPECT_EQ(run.held_bytes(), held_bytes(6));
  EXPECT_EQ(text_of(PutRun(run.body()).front()), "second");
  run.pop();
  EXPECT_TRUE(run.empty());
  EXPECT_EQ(run.held_bytes(), 0U);
}

TEST(PutRun, that_is_malformed_is_refused) {
  EXPECT_THROW(PutRun{std::span<const std::byte>()}, DecodeError);
  const std::array<std::uint32_t, 4> whole{4, 0, 4, 0};
  const auto body = std::as_bytes(std::span(whole));
  EXPECT_EQ(PutRun(body).count(), 2U);
  for (std::size_t bytes = 1; bytes < body.size(); ++bytes) {
    if (bytes == body.size() / 2) continue;  // the first of them
    EXPECT_THROW(PutRun{body.first(bytes)}, DecodeError) << bytes;
  }
  const std::array<std::uint32_t, 2> endless{0xffff'ffff, 0};
  EXPECT_THROW(PutRun{std::as_bytes(std::span(endless))}, DecodeError);
}

TEST(Cargo, of_no_bytes_arrives) {
  FrameBuffer buffer(largest_message);
  buffer.add_cargo(FrameKind::put, flag(FrameFlag::answer), 1, 2, {});
  const Frame frame = only_frame(buffer.bytes());
  EXPECT_TRUE(frame.has(FrameFlag::answer));
  EXPECT_FALSE(frame.has(FrameFlag::now));
  const ReceivedCargo received = read_cargo(frame);
  EXPECT_TRUE(received.handles.empty());
  EXPECT_TRUE(received.cargo.payload.empty());
  EXPECT_EQ(received.cargo.memory.size, 0U);
}

TEST(Cargo, arrives_with_handles) {
  const std::array handles{ObjectReference{.id = ObjectId(4294967299), .index = 17},
                           ObjectReference{.id = ObjectId(8589934597), .index = 0}};
  const Cargo sent{.handles = handles, .payload = bytes_of("payload")};
  FrameBuffer buffer(largest_message);
  buffer.add_cargo(FrameKind::put, 0, 1, 2, sent);
  EXPECT_EQ(buffer.bytes().size(), header_bytes + FrameBuffer::cargo_bytes(sent, false));
  const ReceivedCargo received = read_cargo(only_frame(buffer.bytes()));
  ASSERT_EQ(received.handles.size(), 2U);
  EXPECT_EQ(received.handles[0], handles[0]);
  EXPECT_EQ(received.handles[1], handles[1]);
  EXPECT_EQ(text_of(received.cargo.payload), "payload");
}

TEST(Cargo, that_is_leased_arrives_with_its_count_of_deliveries) {
  const Cargo sent{.deliveries = 3, .payload = bytes_of("payload")};
  FrameBuffer buffer(largest_message);
  buffer.add_cargo(FrameKind::delivery, flag(FrameFlag::lease), 1, 2, sent);
  EXPECT_EQ(buffer.bytes().size(), header_bytes + FrameBuffer::cargo_bytes(sent, true));
  const ReceivedCargo received = read_cargo(only_frame(buffer.bytes(), Sender::home));
  EXPECT_EQ(received.cargo.deliveries, 3U);
  EXPECT_EQ(text_of(received.cargo.payload), "payload");
}

TEST(Cargo, that_is_not_leased_has_no_count_of_deliveries) {
  const Cargo sent{.deliveries = 3, .payload = bytes_of("payload")};
  FrameBuffer buffer(largest_message);
  buffer.add_cargo(FrameKind::delivery, 0, 1, 2, sent);
  EXPECT_EQ(buffer.bytes().size(), header_bytes + 7);
  const ReceivedCargo received = read_cargo(only_frame(buffer.bytes(), Sender::home));
  EXPECT_EQ(received.cargo.deliveries, 0U);
  EXPECT_EQ(text_of(received.cargo.payload), "payload");
}

TEST(Cargo, that_is_large_arrives_as_where_it_is) {
  const std::array handles{ObjectReference{.id = ObjectId(4294967299), .index = 17}};
  FrameBuffer buffer(largest_message);
  buffer.add_cargo(FrameKind::put, flag(FrameFlag::now), 1, 2,
                   {.handles = handles, .memory = {.address = 11, .key = 12, .size = 13}});
  const Frame frame = only_frame(buffer.bytes());
  EXPECT_TRUE(frame.has(FrameFlag::now));
  const ReceivedCargo received = read_cargo(frame);
  EXPECT_EQ(received.handles.size(), 1U);
  EXPECT_EQ(received.cargo.memory.address, 11U);
  EXPECT_EQ(received.cargo.memory.key, 12U);
  EXPECT_EQ(received.cargo.memory.size, 13U);
  EXPECT_TRUE(received.cargo.payload.empty());
}

TEST(Cargo, that_is_malformed_is_refused) {
  const auto refused = [](FrameFlags flags, const auto& body) {
    const Frame frame{.kind = FrameKind::put, .flags = flags, .body = std::as_bytes(std::span(body))};
    EXPECT_THROW(read_cargo(frame), DecodeError);
  };
  refused(flag(FrameFlag::handles), std::array<std::uint8_t, 3>{});
  refused(flag(FrameFlag::handles), std::array<std::uint32_t, 1>{0});
  refused(flag(FrameFlag::handles), std::array<std::uint32_t, 4>{1});
  refused(flag(FrameFlag::handles), std::array<std::uint32_t, 5>{0xffff'ffff});
  refused(flag(FrameFlag::large), std::array<std::uint64_t, 2>{1, 1});
  refused(flag(FrameFlag::large), std::array<std::uint64_t, 3>{1, 1, 0});
  refused(flag(FrameFlag::large), std::array<std::uint64_t, 4>{1, 1, 1, 1});
  const Frame leased{.kind = FrameKind::delivery, .flags = flag(FrameFlag::lease), .body = bytes_of("abc")};
  EXPECT_THROW(read_cargo(leased), DecodeError);
}

TEST(Value, arrives) {
  FrameBuffer buffer(largest_message);
  buffer.add_value(FrameKind::value, 1, 2, 0x0123'4567'89ab'cdef);
  const Frame frame = only_frame(buffer.bytes(), Sender::home);
  EXPECT_EQ(frame.kind, FrameKind::value);
  EXPECT_EQ(frame.operation, 2U);
  EXPECT_EQ(read_value(frame), 0x0123'4567'89ab'cdefU);
}

TEST(Value, arrives_as_the_number_of_messages_that_went_in) {
  for (const FrameKind kind : {FrameKind::went_in, FrameKind::closed_after}) {
    FrameBuffer buffer(largest_message);
    buffer.add_value(kind, 1, 2, 3);
    const Frame frame = only_frame(buffer.bytes(), Sender::home);
    EXPECT_EQ(frame.kind, kind);
    EXPECT_EQ(read_value(frame), 3U);
  }
}

TEST(Value, of_another_size_is_malformed) {
  FrameBuffer buffer(largest_message);
  buffer.add(FrameKind::value, 0, 1, 2, bytes_of("1234567"));
  expect_malformed(buffer.bytes(), Sender::home);
}

TEST(Ended, arrives) {
  FrameBuffer buffer(header_bytes + FrameBuffer::ended_bytes);
  buffer.add_ended(Puid::make(3, 4, 5));
  const Frame frame = only_frame(buffer.bytes());
  EXPECT_EQ(frame.kind, FrameKind::ended);
  EXPECT_EQ(Puid(read_value(frame)), Puid::make(3, 4, 5));
  expect_malformed(buffer.bytes(), Sender::home);
}

TEST(Ended, of_another_size_is_malformed) {
  for (const char* const body : {"", "1234567", "123456789"}) {
    FrameBuffer buffer(largest_message);
    buffer.add(FrameKind::ended, 0, 0, 0, bytes_of(body));
    expect_malformed(buffer.bytes());
  }
}

}  // namespace
}  // namespace wyvern::wire
