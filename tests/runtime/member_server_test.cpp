// The agent's side of the control protocol, with requests from this test: right ones, wrong ones, and none.
#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/pidfd.hpp>
#include <wyvern/runtime/protocol/packet.hpp>
#include <wyvern/runtime/protocol/start_payload.hpp>

#include "member_server_scene.hpp"

namespace wyvern::agent {
namespace {

using namespace control;

TEST_F(MemberServerTest, attach_gives_the_segment_and_an_identity) {
  const FileDescriptor socket = connect();
  send(socket, attach_request());
  const auto answer = answer_on<Attached>(socket, 2);
  EXPECT_EQ(answer.puid, 4294967296U);
  EXPECT_EQ(answer.parent, 0U);
  EXPECT_EQ(answer.has_payload, 0U);
  EXPECT_EQ(log_, "");
}

TEST_F(MemberServerTest, unknown_ticket_is_not_a_member) {
  const FileDescriptor socket = connect();
  send(socket, attach_request(head_key + 1));
  EXPECT_EQ(failure_on(socket), ErrorCode::not_a_member);
}

TEST_F(MemberServerTest, another_layout_is_version_mismatch_that_names_both) {
  const FileDescriptor socket = connect();
  auto request = attach_request();
  request.layout_hash = 0xabcdef;
  send(socket, request);
  const auto failure = answer_on<Failed>(socket);
  EXPECT_EQ(static_cast<ErrorCode>(failure.code), ErrorCode::version_mismatch);
  EXPECT_NE(std::string(failure.text).find("0000000000abcdef"), std::string::npos) << failure.text;
}

TEST_F(MemberServerTest, another_protocol_is_version_mismatch_and_the_end) {
  const FileDescriptor socket = connect();
  auto request = attach_request();
  request.header.version = 99;
  send(socket, request);
  const auto failure = answer_on<Failed>(socket);
  EXPECT_EQ(static_cast<ErrorCode>(failure.code), ErrorCode::version_mismatch);
  EXPECT_NE(std::string(failure.text).find("version 99"), std::string::npos) << failure.text;
  EXPECT_TRUE(dropped(socket));
}

TEST_F(MemberServerTest, request_before_attach_is_refused) {
  const FileDescriptor socket = connect();
  send(socket, make_message<Leave>(1));
  EXPECT_TRUE(dropped(socket));
  EXPECT_NE(log_.find("before it has attached"), std::string::npos) << log_;
}

TEST_F(MemberServerTest, second_attach_is_refused) {
  const FileDescriptor socket = attached();
  send(socket, attach_request());
  EXPECT_TRUE(dropped(socket));
}

TEST_F(MemberServerTest, malformed_requests_end_their_connection_only) {
  const FileDescriptor good = attached();
  const auto expect_dropped = [this](auto message) {
    const FileDescriptor socket = attached();
    send(socket, message);
    EXPECT_TRUE(dropped(socket)) << static_cast<int>(message.header.kind);
  };
  auto unterminated = make_message<FindObject>(1);
  std::memset(unterminated.name, 'x', sizeof unterminated.name);
  expect_dropped(unterminated);
  auto object = make_message<GrowPorts>(1);
  object.object_index = max_objects;
  expect_dropped(object);
  auto extent = make_message<GrowExtents>(1);
  extent.size_class = max_extent_classes;
  expect_dropped(extent);
  auto signal = make_message<SignalProcess>(1);
  signal.signal = 1000;
  expect_dropped(signal);
  expect_dropped(make_message<Start>(1));  // without its descriptors
  expect_dropped(make_message<JobOver>(1));
  auto unknown = make_message<Done>(1);
  unknown.header.kind = static_cast<MessageKind>(12345);
  expect_dropped(unknown);

  send(good, make_message<FindObject>(9));
  EXPECT_EQ(answer_on<Object>(good).header.serial, 9U);
}

TEST_F(MemberServerTest, random_bytes_never_harm_the_agent) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    const FileDescriptor socket = attached();
    std::vector<std::byte> bytes(random() % 900 + 1);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    if (bytes.size() >= sizeof(MessageHeader) && round % 4 != 0) {
      const MessageHeader header{.magic = message_magic,
                                 .version = protocol_version,
                                 .kind = static_cast<MessageKind>(random() % 12),
                                 .bytes = static_cast<std::uint32_t>(bytes.size()),
                                 .serial = 1};
      std::memcpy(bytes.data(), &header, sizeof header);
    }
    ASSERT_EQ(send_packet(socket.get(), bytes), Transfer::done);
    turn();
  }
  EXPECT_NO_THROW(attached());
}

TEST_F(MemberServerTest, start_of_what_is_no_payload_is_refused) {
  const FileDescriptor socket = attached();
  const int descriptors[] = {pidfd_.get(), pidfd_.get(), pidfd_.get()};
  send(socket, make_message<Start>(1), descriptors);
  EXPECT_TRUE(dropped(socket));
  EXPECT_NE(log_.find("not a sealed memfd"), std::string::npos) << log_;
}

TEST_F(MemberServerTest, start_that_fails_says_why_and_uses_its_puid_up) {
  const FileDescriptor socket = attached();
  const FileDescriptor payload = write_start_payload(
      encode_start_payload({.arguments = {"program"}, .environment = {}, .entry = {}, .references = {}}));
  const int descriptors[] = {payload.get(), pidfd_.get(), pidfd_.get()};
  send(socket, make_message<Start>(1), descriptors);
  const auto failure = answer_on<Failed>(socket);
  EXPECT_EQ(static_cast<ErrorCode>(failure.code), ErrorCode::spawn_failed);
  EXPECT_NE(std::string(failure.text).find("working directory"), std::string::npos) << failure.text;
  EXPECT_EQ(exit_status(segment_.exit_record(1).load()), 127);
  EXPECT_EQ(processes_.awaited(), 0U);
}

TEST_F(MemberServerTest, ends_of_pipes_come_with_the_answer_in_the_order_of_the_streams) {
  const FileDescriptor socket = attached();
  const FileDescriptor payload =
      write_start_payload(encode_start_payload({.arguments = {"sh", "-c", "cat; echo error >&2"},
                                                .environment = {},
                                                .program = "/bin/sh",
                                                .directory = "/",
                                                .input = StandardStream::piped(),
                                                .output = StandardStream::piped(),
                                                .error = StandardStream::piped(),
                                                .entry = {},
                                                .references = {}}));
  const int descriptors[] = {payload.get(), pidfd_.get(), pidfd_.get()};
  send(socket, make_message<Start>(1), descriptors);
  Packet packet;
  ASSERT_EQ(receive_packet(socket.get(), packet), Transfer::done);
  EXPECT_EQ(read_message<Started>(packet, 3).puid, 4294967297U);
  ASSERT_EQ(::write(packet.descriptors[0].get(), "input", 5), 5);
  packet.descriptors[0].reset();
  const auto read_end = [](const FileDescriptor& fd) {
    std::string text;
    char character = 0;
    while (::read(fd.get(), &character, 1) == 1) text += character;
    return text;
  };
  EXPECT_EQ(read_end(packet.descriptors[1]), "input");
  EXPECT_EQ(read_end(packet.descriptors[2]), "error\n");
  while (processes_.awaited() != 0) processes_.reap_children();
  EXPECT_EQ(exit_status(segment_.exit_record(1).load()), 0);
}

TEST_F(MemberServerTest, nothing_is_started_when_the_job_ends) {
  refuses_starts_ = true;
  const FileDescriptor socket = attached();
  const int descriptors[] = {pidfd_.get(), pidfd_.get(), pidfd_.get()};
  send(socket, make_message<Start>(1), descriptors);
  EXPECT_EQ(failure_on(socket), ErrorCode::spawn_failed);
}

TEST_F(MemberServerTest, signal_for_a_process_that_never_was_is_invalid) {
  const FileDescriptor socket = attached();
  for (const std::uint64_t puid :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{4294967297}, ~std::uint64_t{0}}) {
    auto request = make_message<SignalProcess>(1);
    request.puid = puid;
    send(socket, request);
    EXPECT_EQ(failure_on(socket), ErrorCode::invalid_argument) << puid;
  }
}

TEST_F(MemberServerTest, leaving_is_reported_and_answered_later) {
  const FileDescriptor socket = attached();
  auto request = make_message<Leave>(5);
  request.wait = 1;
  send(socket, request);
  ASSERT_EQ(leaving_.size(), 1U);
  EXPECT_FALSE(leaving_[0].is_program);
  server_.release(leaving_[0]);
  EXPECT_EQ(answer_on<Done>(socket).header.serial, 5U);
}

TEST_F(MemberServerTest, end_of_a_connection_is_reported) {
  {
    const FileDescriptor never_attached = connect();
    const FileDescriptor socket = attached();
  }
  turn();
  turn();
  ASSERT_EQ(disconnected_.size(), 1U);
  EXPECT_EQ(disconnected_[0], Puid(4294967296));
}

TEST_F(MemberServerTest, client_that_does_not_read_is_dropped_without_waiting_for_it) {
  const FileDescriptor socket = attached();
  auto request = make_message<FindObject>(1);
  for (int i = 0; i < 100'000 && log_.empty(); ++i) {
    ASSERT_NE(send_message(socket.get(), request), Transfer::would_block);
    turn();
  }
  EXPECT_NE(log_.find("does not read its answers"), std::string::npos) << log_;
}

}  // namespace
}  // namespace wyvern::agent
