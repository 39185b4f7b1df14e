#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "support/stamped.hpp"
#include "transport/endpoint_conformance.hpp"

namespace wyvern::test {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

/// A peer that is killed, and others with which it goes on.
class EndpointDeath : public EndpointConformance {
 protected:
  /// A remote peer, which a knows as `number`.
  RemotePeer& play_as(PeerNumber& number, const RemotePeerOptions& options = {}) {
    RemotePeer& peer = play(options);
    number = a_->endpoint.add_peer(peer.address());
    return peer;
  }
  /// The first messages to a remote peer.
  void expect_receives(RemotePeer& peer, PeerNumber number, std::uint64_t count = 10) {
    for (std::uint64_t i = 0; i < count; ++i) send(*a_, number, make_stamped({Puid(1), i}, 500));
    poll_until([&] { return peer.board().received == count; });
    EXPECT_EQ(peer.board().out_of_order + peer.board().damaged, 0U);
  }
  /// What a caller does that does not know yet: whatever comes of it, it returns.
  void send_to_the_dead(PeerNumber number) {
    if (!traits().sends_to_the_dead_return) {
      // Its beats find out, and then nothing is sent any more.
      EXPECT_EQ(a_->endpoint.send_beat(number), SendOutcome::failed);
      EXPECT_EQ(a_->endpoint.send(number, pattern(500)), SendOutcome::failed);
    }
    for (int i = 0; i < 500; ++i) {
      a_->endpoint.send(number, pattern(500));
      if (i % 10 == 0) a_->endpoint.send_beat(number);
      a_->poll();
    }
  }
  void expect_nothing_left_in_shared_memory() {
    const auto process = std::filesystem::directory_iterator("/dev/shm");
    for (const auto& entry : process) {
      for (RemotePeer& peer : remote_peers_) {
        const bool is_its = entry.path().filename().string().starts_with(std::to_string(peer.pid()) + ":");
        EXPECT_FALSE(is_its && peer.is_killed()) << entry.path();
      }
    }
  }

  Bytes copy_;
  std::optional<RemoteRead> read_;
};
INSTANTIATE_TEST_SUITE_P(Over, EndpointDeath, every_path(), path_name);

TEST_P(EndpointDeath, during_messages_in_both_directions_leaves_the_others_and_its_successor) {
  PeerNumber number = 0;
  RemotePeer& victim = play_as(number);
  // Where a sender that is killed can stop the receiver, it only receives.
  if (traits().sends_to_the_dead_return) victim.set_sends(true);
  std::uint64_t sent = 0;
  poll_until([&] {
    if (a_->endpoint.send(number, make_stamped({Puid(1), sent}, 500)) == SendOutcome::done) ++sent;
    const bool has_sent = !victim.board().sends || a_->mailbox.messages.size() > 500;
    return has_sent && victim.board().received > 500;
  });
  victim.kill();
  send_to_the_dead(number);
  expect_talk(*b_, to_a_, *a_);
  a_->endpoint.remove_peer(number);
  expect_nothing_left_in_shared_memory();
  for (std::uint64_t sequence = 0; const Bytes& bytes : a_->mailbox.messages_of(number)) {
    ASSERT_EQ(read_stamped(bytes).sequence, sequence++) << "what came is whole and in order";
  }
  expect_talk(*a_, to_b_, *b_);
  RemotePeer& successor = play_as(number);
  expect_receives(successor, number);
}

TEST_P(EndpointDeath, in_the_midst_of_a_message_takes_no_room_from_the_others) {
  // More often than receive buffers are set aside for messages that never come.
  for (unsigned i = 0; i < path_->scaled(20); ++i) {
    PeerNumber number = 0;
    RemotePeer& victim = play_as(number, {.message_bytes = a_->endpoint.largest_message()});
    expect_receives(victim, number, 1);
    victim.set_sends(true);
    poll_until([&] { return a_->mailbox.count_of(number) != 0; });
    // Until nothing more goes: part of a message is on its way then, where there are streams.
    for (std::uint64_t sent = 0, since = victim.board().rounds; victim.board().rounds < since + 200;) {
      victim.work();
      if (victim.board().sent == sent) continue;
      sent = victim.board().sent;
      since = victim.board().rounds;
    }
    if (!traits().sends_to_the_dead_return) victim.set_sends(false);
    victim.kill();
    // More than there are receive buffers for.
    constexpr unsigned count = 700;
    for (unsigned k = 0; k < count; ++k) send(*b_, to_a_, pattern(4000, k));
    poll_until([&] { return a_->mailbox.count_of(to_b_) == count; });
    for (std::uint64_t sequence = 0; const Bytes& bytes : a_->mailbox.messages_of(number)) {
      ASSERT_EQ(read_stamped(bytes).sequence, sequence++) << "what came is whole and in order";
    }
    for (unsigned k = 0; const Bytes& bytes : a_->mailbox.messages_of(to_b_))
      ASSERT_EQ(bytes, pattern(4000, k++));
    a_->endpoint.remove_peer(number);
    a_->mailbox.messages.clear();
  }
}

TEST_P(EndpointDeath, during_a_read_of_256_MiB_ends_it_as_failed_at_the_latest_when_the_peer_is_removed) {
  const std::size_t bytes = path_->scaled(256) * mebibyte;
  PeerNumber number = 0;
  RemotePeer& victim = play_as(number, {.memory_bytes = bytes});
  copy_.resize(bytes);
  auto destination = a_->endpoint.register_memory(copy_);
  read_.emplace(number, victim.board().memory, copy_, destination.get());
  a_->endpoint.read(*read_);
  poll_until([&] { return a_->endpoint.counters().bytes_read >= bytes / 4; });
  ASSERT_TRUE(read_->is_running());
  victim.kill();
  // Some providers find out by themselves.
  for (int i = 0; i < 1000 && a_->mailbox.reads.empty(); ++i) poll_all();
  a_->endpoint.remove_peer(number);
  poll_until([&] { return !a_->mailbox.reads.empty(); });
  EXPECT_NE(a_->mailbox.reads[0].result, ReadResult::done);
  EXPECT_NE(a_->mailbox.reads[0].error, 0);
  RecordProperty("ends", a_->mailbox.reads[0].result == ReadResult::failed ? "failed" : "abandoned");

  expect_talk(*a_, to_b_, *b_);
  const Bytes memory = pattern(3 * mebibyte);
  Bytes source = memory;
  const auto registered = b_->endpoint.register_memory(source);
  Bytes copy(memory.size());
  auto other_destination = a_->endpoint.register_memory(copy);
  RemoteRead from_b(to_b_, registered->remote(), copy, other_destination.get());
  EXPECT_EQ(read(*a_, from_b).result, ReadResult::done);
  EXPECT_TRUE(copy == memory);
  // The provider may still write until its endpoint is gone.
  remote_peers_.clear();
  destination.reset();
  other_destination.reset();
  a_->close();
}

TEST_P(EndpointDeath, of_one_peer_after_another_with_sends_under_way_leaves_room_for_the_others) {
  for (int i = 0; i < 4; ++i) {
    PeerNumber number = 0;
    RemotePeer& victim = play_as(number);
    expect_receives(victim, number);
    victim.set_polls(false);
    for (int in_vain = 0; in_vain < 100; ++in_vain) {
      while (a_->endpoint.send(number, pattern(3000)) == SendOutcome::done) in_vain = 0;
      a_->poll();
    }
    victim.kill();
    expect_talk(*a_, to_b_, *b_);
    a_->endpoint.remove_peer(number);
    expect_talk(*a_, to_b_, *b_);
  }
}

/// One that takes the place of one that was killed. The place is the same, the endpoint is another.
class EndpointReturn : public EndpointDeath {
 protected:
  void SetUp() override {
    EndpointDeath::SetUp();
    if (path_ != nullptr && !path_->can_return()) GTEST_SKIP() << "places are not chosen here";
  }
  /// The connection that the provider has may be the former's. What is lost by that is told, so that all is
  /// sent again.
  void expect_receives_at_last(RemotePeer& peer, PeerNumber number, std::uint64_t first, std::uint64_t last) {
    while (peer.board().received < last) {
      const std::size_t failures = a_->mailbox.failures.size();
      for (std::uint64_t i = first; i < last; ++i) send(*a_, number, make_stamped({Puid(1), i}, 500));
      poll_until([&] { return peer.board().received == last || a_->mailbox.failures.size() != failures; });
    }
    EXPECT_EQ(peer.board().damaged, 0U);
  }
  RemotePeerOptions place_of(RemotePeer& peer) const {
    return {.memory_bytes = 0, .former = decode_peer_address(peer.address())};
  }
};
INSTANTIATE_TEST_SUITE_P(Over, EndpointReturn, every_path(), path_name);

TEST_P(EndpointReturn, after_the_former_was_removed_is_a_new_peer) {
  PeerNumber number = 0;
  RemotePeer& victim = play_as(number);
  expect_receives(victim, number);
  victim.kill();
  send_to_the_dead(number);
  a_->endpoint.remove_peer(number);
  RemotePeer& successor = play_as(number, place_of(victim));
  expect_receives_at_last(successor, number, 0, 10);
}

TEST_P(EndpointReturn, as_soon_as_the_former_was_removed_is_a_new_peer) {
  PeerNumber number = 0;
  RemotePeer& victim = play_as(number);
  expect_receives(victim, number);
  victim.kill();
  a_->endpoint.remove_peer(number);
  RemotePeer& successor = play_as(number, place_of(victim));
  expect_receives_at_last(successor, number, 0, 10);
}

TEST_P(EndpointReturn, before_the_former_was_removed_is_a_new_peer) {
  PeerNumber former = 0;
  RemotePeer& victim = play_as(former);
  expect_receives(victim, former);
  victim.kill();
  PeerNumber number = 0;
  RemotePeer& successor = play_as(number, place_of(victim));
  expect_receives_at_last(successor, number, 0, 5);
  a_->endpoint.remove_peer(former);
  expect_receives_at_last(successor, number, 5, 10);
}

TEST_P(EndpointReturn, gets_what_is_for_the_former_and_drops_it) {
  PeerNumber former = 0;
  RemotePeer& victim = play_as(former);
  expect_receives(victim, former);
  victim.kill();
  RemotePeer& successor = play(place_of(victim));
  poll_until([&] {
    a_->endpoint.send(former, make_stamped({Puid(1), 0}, 500));
    return successor.board().for_somebody_else > 0;
  });
  EXPECT_EQ(successor.board().received, 0U);
  a_->endpoint.remove_peer(former);
  const PeerNumber number = a_->endpoint.add_peer(successor.address());
  expect_receives_at_last(successor, number, 0, 10);
}

}  // namespace
}  // namespace wyvern::test
