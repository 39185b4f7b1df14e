#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/protocol/packet.hpp>
#include <wyvern/runtime/protocol/seqpacket.hpp>

namespace wyvern::control {
namespace {

class PacketTest : public testing::Test {
 protected:
  PacketTest() : sockets_(make_socket_pair()) {}

  Transfer send(const void* bytes, std::size_t size, std::span<const int> descriptors = {}) {
    return send_packet(sockets_.first.get(), {static_cast<const std::byte*>(bytes), size}, descriptors);
  }
  Transfer receive() { return receive_packet(sockets_.second.get(), packet_); }

  std::pair<FileDescriptor, FileDescriptor> sockets_;
  Packet packet_;
};

TEST_F(PacketTest, message_arrives_as_it_was_sent) {
  auto message = make_message<FindObject>(7);
  write_text(message.name, "a queue");
  ASSERT_EQ(send_message(sockets_.first.get(), message), Transfer::done);
  ASSERT_EQ(receive(), Transfer::done);
  const auto received = read_message<FindObject>(packet_);
  EXPECT_EQ(received.header.serial, 7U);
  EXPECT_EQ(read_text(received.name), "a queue");
}

TEST_F(PacketTest, descriptors_arrive_with_their_message) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const FileDescriptor reading(ends[0]);
  FileDescriptor writing(ends[1]);
  const int sent[] = {writing.get(), reading.get()};
  ASSERT_EQ(send_message(sockets_.first.get(), make_message<Done>(1), sent), Transfer::done);
  ASSERT_EQ(receive(), Transfer::done);
  EXPECT_NO_THROW(read_message<Done>(packet_, 2));
  EXPECT_THROW(read_message<Done>(packet_), Malformed) << "descriptors that nobody expects";
  ASSERT_EQ(::write(packet_.descriptors[0].get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(reading.get(), &byte, 1), 1);
}

TEST_F(PacketTest, nothing_there_is_not_the_end) {
  EXPECT_EQ(receive(), Transfer::would_block);
  sockets_.first.reset();
  EXPECT_EQ(receive(), Transfer::closed);
}

TEST_F(PacketTest, reader_that_does_not_read_is_noticed_without_waiting) {
  Transfer result = Transfer::done;
  for (int i = 0; i < 100'000 && result == Transfer::done; ++i) {
    result = send_message(sockets_.first.get(), make_message<Failed>(1));
  }
  EXPECT_EQ(result, Transfer::would_block);
}

TEST_F(PacketTest, packet_that_is_too_long_is_malformed) {
  const std::string bytes(max_message_bytes + 1, 'x');
  ASSERT_EQ(send(bytes.data(), bytes.size()), Transfer::done);
  EXPECT_THROW(receive(), Malformed);
}

TEST_F(PacketTest, wrong_headers_are_malformed) {
  const auto expect_malformed = [this](auto change) {
    auto message = make_message<Detach>(1);
    change(message.header);
    ASSERT_EQ(send(&message, sizeof message), Transfer::done);
    ASSERT_EQ(receive(), Transfer::done);
    EXPECT_THROW(read_message<Detach>(packet_), Malformed);
  };
  expect_malformed([](MessageHeader& header) { header.magic ^= 1; });
  expect_malformed([](MessageHeader& header) { ++header.version; });
  expect_malformed([](MessageHeader& header) { header.kind = MessageKind::attach; });
  expect_malformed([](MessageHeader& header) { --header.bytes; });
  expect_malformed([](MessageHeader& header) { header.bytes = ~0U; });
}

TEST_F(PacketTest, every_shorter_packet_is_malformed) {
  auto message = make_message<Attach>(1);
  for (std::uint32_t size = 1; size < sizeof message; ++size) {
    message.header.bytes = size;
    ASSERT_EQ(send(&message, size), Transfer::done);
    ASSERT_EQ(receive(), Transfer::done);
    EXPECT_THROW(read_message<Attach>(packet_), Malformed) << size;
  }
}

TEST(PacketText, text_that_is_not_terminated_is_malformed) {
  FindObject message;
  std::memset(message.name, 'x', sizeof message.name);
  EXPECT_THROW(read_text(message.name), Malformed);
}

TEST(PacketText, text_that_is_too_long_is_cut) {
  FindObject message;
  write_text(message.name, std::string(2 * sizeof message.name, 'x'));
  EXPECT_EQ(read_text(message.name), std::string(sizeof message.name - 1, 'x'));
}

TEST(Seqpacket, name_where_nobody_listens_is_node_lost) {
  EXPECT_THROW(connect_to("wyvern-nobody-is-here", std::chrono::seconds(1)), NodeLost);
}

TEST(Seqpacket, peer_is_known_by_pid_user_and_pidfd) {
  const auto [first, second] = make_socket_pair();
  const Peer peer = peer_of(first.get());
  EXPECT_EQ(peer.pid, ::getpid());
  EXPECT_EQ(peer.uid, ::getuid());
  EXPECT_TRUE(peer.pidfd);
}

}  // namespace
}  // namespace wyvern::control
