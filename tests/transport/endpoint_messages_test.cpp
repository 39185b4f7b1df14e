#include <cstdint>
#include <map>
#include <vector>

#include <wyvern/core/error.hpp>

#include "support/stamped.hpp"
#include "transport/endpoint_conformance.hpp"

namespace wyvern::test {
namespace {

class EndpointMessages : public EndpointConformance {};
INSTANTIATE_TEST_SUITE_P(Over, EndpointMessages, every_path(), path_name);

TEST_P(EndpointMessages, of_every_size_arrive_in_order_and_unchanged) {
  const std::size_t largest = a_->endpoint.largest_message();
  // Around what providers copy at once (64, 128, 192, 256, 4096 bytes with our header), and what is sent
  // otherwise.
  std::vector<Bytes> sent;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{47}, std::size_t{48}, std::size_t{49},
        std::size_t{112}, std::size_t{113}, std::size_t{176}, std::size_t{177}, std::size_t{240},
        std::size_t{241}, std::size_t{1000}, std::size_t{4079}, std::size_t{4080}, largest - 1, largest}) {
    sent.push_back(pattern(size, static_cast<unsigned>(size)));
    send(*a_, to_b_, sent.back());
  }
  poll_until([&] { return b_->mailbox.messages.size() == sent.size(); });
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(b_->mailbox.messages[i].first, to_a_);
    EXPECT_EQ(b_->mailbox.messages[i].second, sent[i]) << i;
  }
  EXPECT_EQ(a_->endpoint.counters().sent, sent.size());
  EXPECT_EQ(b_->endpoint.counters().received, sent.size());
}

TEST_P(EndpointMessages, more_than_the_receive_buffers_hold_arrive_in_order_in_both_directions) {
  // 4 MiB each way through buffers of 2 MiB.
  const unsigned count = path_->scaled(4096);
  for (unsigned i = 0; i < count; ++i) {
    send(*a_, to_b_, pattern(1000, i));
    send(*b_, to_a_, pattern(999, i));
    poll_all();
  }
  poll_until([&] { return a_->mailbox.messages.size() == count && b_->mailbox.messages.size() == count; });
  for (unsigned i = 0; i < count; ++i) {
    ASSERT_EQ(b_->mailbox.messages[i].second, pattern(1000, i));
    ASSERT_EQ(a_->mailbox.messages[i].second, pattern(999, i));
  }
}

TEST_P(EndpointMessages, of_many_peers_to_each_other_arrive_in_the_order_of_each) {
  constexpr std::size_t count = 16;
  constexpr std::uint64_t messages = 8;
  while (sides_.size() < count + 2) open_side();
  const auto side = [&](std::size_t number) -> Side& { return sides_[number + 2]; };
  // Everyone's number of everyone, and the other way round.
  std::vector<std::map<std::size_t, PeerNumber>> number_of(count);
  std::vector<std::map<PeerNumber, std::size_t>> side_of(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < count; ++j) {
      if (i == j) continue;
      number_of[i][j] = side(i).endpoint.add_peer(side(j).endpoint.address());
      side_of[i][number_of[i][j]] = j;
    }
  }
  for (std::uint64_t sequence = 0; sequence < messages; ++sequence) {
    for (std::size_t i = 0; i < count; ++i) {
      for (const auto& [j, number] : number_of[i])
        send(side(i), number, make_stamped({Puid(i + 1), sequence}, 16 + 10 * j));
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    poll_until([&] { return side(i).mailbox.messages.size() == messages * (count - 1); });
    std::map<PeerNumber, std::uint64_t> next;
    for (const auto& [from, bytes] : side(i).mailbox.messages) {
      const MessageId id = read_stamped(bytes);
      ASSERT_EQ(id.producer, Puid(side_of[i].at(from) + 1));
      ASSERT_EQ(id.sequence, next[from]++);
      ASSERT_EQ(bytes.size(), 16 + 10 * i);
    }
  }
}

TEST_P(EndpointMessages, to_oneself_arrive) {
  const PeerNumber self = a_->endpoint.add_peer(a_->endpoint.address());
  expect_talk(*a_, self, *a_);
}

TEST_P(EndpointMessages, of_a_stranger_are_told_apart) {
  Side& stranger = open_side();
  const PeerNumber to_b = stranger.endpoint.add_peer(b_->endpoint.address());
  send(stranger, to_b, pattern(20));
  poll_until([&] { return b_->endpoint.counters().from_strangers == 1; });
  send(*a_, to_b_, pattern(3));
  poll_until([&] { return b_->mailbox.messages.size() == 1; });
  EXPECT_EQ(b_->mailbox.messages[0].second, pattern(3));
  ASSERT_EQ(b_->mailbox.of_strangers.size(), 1U);
  EXPECT_EQ(b_->mailbox.of_strangers[0], pattern(20));
}

TEST_P(EndpointMessages, of_a_stranger_that_becomes_a_peer_by_them_are_answered) {
  Side& stranger = open_side();
  const PeerNumber to_b = stranger.endpoint.add_peer(b_->endpoint.address());
  send(stranger, to_b, stranger.endpoint.address());
  poll_until([&] { return b_->mailbox.of_strangers.size() == 1; });
  const PeerNumber to_stranger = b_->endpoint.add_peer(b_->mailbox.of_strangers[0]);
  expect_talk(*b_, to_stranger, stranger);
  expect_talk(stranger, to_b, *b_);
}

TEST_P(EndpointMessages, of_a_removed_peer_are_counted_and_dropped) {
  expect_talk(*a_, to_b_, *b_);
  b_->endpoint.remove_peer(to_a_);
  EXPECT_THROW(b_->endpoint.send(to_a_, pattern(3)), InvalidArgument);
  EXPECT_THROW(b_->endpoint.send_beat(to_a_), InvalidArgument);
  EXPECT_THROW(b_->endpoint.heard_from(to_a_), InvalidArgument);
  EXPECT_THROW(b_->endpoint.remove_peer(to_a_), InvalidArgument);
  send(*a_, to_b_, pattern(4));
  poll_until([&] { return b_->endpoint.counters().from_strangers == 1; });
  EXPECT_EQ(b_->mailbox.messages.size(), 1U);
}

TEST_P(EndpointMessages, of_a_peer_that_is_added_again_arrive) {
  expect_talk(*a_, to_b_, *b_);
  b_->endpoint.remove_peer(to_a_);
  const PeerNumber again = b_->endpoint.add_peer(a_->endpoint.address());
  EXPECT_NE(again, to_a_) << "numbers are not used twice";
  expect_talk(*a_, to_b_, *b_);
  EXPECT_EQ(b_->mailbox.messages.back().first, again);
  expect_talk(*b_, again, *a_);
}

TEST_P(EndpointMessages, peer_that_is_removed_while_sends_to_it_are_under_way_holds_up_nobody) {
  Side& silent = open_side();
  const PeerNumber to_silent = a_->endpoint.add_peer(silent.endpoint.address());
  silent.endpoint.add_peer(a_->endpoint.address());
  expect_talk(*a_, to_silent, silent);
  while (a_->endpoint.send(to_silent, pattern(2000)) == SendOutcome::done) continue;
  a_->endpoint.remove_peer(to_silent);
  for (int i = 0; i < 500; ++i) send(*a_, to_b_, pattern(2000, static_cast<unsigned>(i)));
  poll_until([&] { return b_->mailbox.messages.size() == 500; });
  EXPECT_TRUE(a_->mailbox.failures.empty()) << "of a peer that is none nothing is told";
}

TEST_P(EndpointMessages, that_are_too_large_or_to_unknown_peers_are_refused) {
  const std::size_t largest = a_->endpoint.largest_message();
  EXPECT_THROW(a_->endpoint.send(to_b_, pattern(largest + 1)), TooLarge);
  EXPECT_THROW(a_->endpoint.send(to_b_ + 1, pattern(1)), InvalidArgument);
  EXPECT_THROW(a_->endpoint.send_beat(to_b_ + 1), InvalidArgument);
  EXPECT_THROW(a_->endpoint.heard_from(to_b_ + 1), InvalidArgument);
}

TEST_P(EndpointMessages, addresses_that_are_no_peers_are_refused) {
  EXPECT_THROW(a_->endpoint.add_peer(b_->endpoint.address()), InvalidArgument);
  EXPECT_THROW(a_->endpoint.add_peer(pattern(10)), DecodeError);
  PeerAddress other = decode_peer_address(b_->endpoint.address());
  other.epoch += 1;
  other.name.clear();
  EXPECT_THROW(a_->endpoint.add_peer(encode_peer_address(other)), DecodeError);
  other = decode_peer_address(b_->endpoint.address());
  other.protocol += 1;
  EXPECT_THROW(a_->endpoint.add_peer(encode_peer_address(other)), VersionMismatch);
  expect_talk(*a_, to_b_, *b_);
}

TEST_P(EndpointMessages, that_came_are_heard_and_so_are_beats_which_are_not_told) {
  EXPECT_EQ(b_->endpoint.heard_from(to_a_), 0U);
  expect_talk(*a_, to_b_, *b_);
  const std::uint64_t before = b_->endpoint.heard_from(to_a_);
  EXPECT_GT(before, 0U);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    while (a_->endpoint.send_beat(to_b_) == SendOutcome::retry) poll_all();
    poll_until([&] { return b_->endpoint.heard_from(to_a_) == before + i; });
  }
  EXPECT_EQ(b_->mailbox.messages.size(), 1U);
  EXPECT_EQ(a_->endpoint.counters().sent, 1U);
  EXPECT_EQ(b_->endpoint.counters().received, 1U);
  EXPECT_TRUE(a_->mailbox.failures.empty());
}

TEST_P(EndpointMessages, beats_and_messages_do_not_overtake_each_other_s_order) {
  for (unsigned i = 0; i < 300; ++i) {
    if (i % 3 == 0) a_->endpoint.send_beat(to_b_);
    send(*a_, to_b_, pattern(60, i));
  }
  poll_until([&] { return b_->mailbox.messages.size() == 300; });
  for (unsigned i = 0; i < 300; ++i) ASSERT_EQ(b_->mailbox.messages[i].second, pattern(60, i));
}

}  // namespace
}  // namespace wyvern::test
