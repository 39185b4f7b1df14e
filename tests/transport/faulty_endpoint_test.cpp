#include <cerrno>
#include <cstdint>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/faulty_endpoint.hpp>
#include <wyvern/transport/loopback_endpoint.hpp>

#include "transport/mailbox.hpp"

namespace wyvern::test {
namespace {

/// A faulty endpoint `a` and two good ones on a loopback network.
class FaultyEndpointTest : public ::testing::Test {
 protected:
  void open(const FaultSettings& settings = {}) {
    a_.emplace(under_, settings);
    to_b_ = a_->add_peer(b_.address());
    to_c_ = a_->add_peer(c_.address());
    b_.add_peer(a_->address());
    c_.add_peer(a_->address());
  }
  void poll_all() {
    a_->poll(at_a_);
    b_.poll(at_b_);
    c_.poll(at_c_);
  }
  /// More than any delay in these tests.
  void settle() {
    for (int i = 0; i < 100; ++i) poll_all();
  }

  LoopbackNetwork network_;
  LoopbackEndpoint under_{network_};
  LoopbackEndpoint b_{network_};
  LoopbackEndpoint c_{network_};
  std::optional<FaultyEndpoint> a_;
  Mailbox at_a_;
  Mailbox at_b_;
  Mailbox at_c_;
  PeerNumber to_b_ = 0;
  PeerNumber to_c_ = 0;
  static constexpr PeerNumber to_a = 0;
};

TEST_F(FaultyEndpointTest, without_settings_it_does_nothing) {
  open();
  Bytes memory = pattern(100);
  const auto registered = b_.register_memory(memory);
  Bytes copy(100);
  RemoteRead read(to_b_, registered->remote(), copy);
  a_->read(read);
  ASSERT_EQ(a_->send(to_b_, pattern(3)), SendOutcome::done);
  ASSERT_EQ(b_.send(to_a, pattern(4)), SendOutcome::done);
  b_.poll(at_b_);
  a_->poll(at_a_);
  EXPECT_EQ(copy, memory);
  EXPECT_EQ(at_b_.messages, (decltype(at_b_.messages){{to_a, pattern(3)}}));
  EXPECT_EQ(at_a_.messages, (decltype(at_a_.messages){{to_b_, pattern(4)}}));
  ASSERT_EQ(at_a_.reads.size(), 1U);
  EXPECT_EQ(at_a_.reads[0].result, ReadResult::done);
  EXPECT_TRUE(a_->may_sleep());
}

TEST_F(FaultyEndpointTest, sends_are_to_be_repeated_as_often_as_was_asked_for) {
  open();
  a_->retry_sends(2);
  EXPECT_EQ(a_->send(to_b_, {}), SendOutcome::retry);
  EXPECT_EQ(a_->send_beat(to_b_), SendOutcome::retry);
  EXPECT_EQ(a_->send(to_b_, {}), SendOutcome::done);
  EXPECT_EQ(a_->faults().retries, 2U);
}

TEST_F(FaultyEndpointTest, failed_send_is_lost_and_told) {
  open();
  a_->fail_sends(1, ENETUNREACH);
  EXPECT_EQ(a_->send(to_b_, pattern(3)), SendOutcome::done);
  EXPECT_FALSE(a_->may_sleep());
  settle();
  EXPECT_EQ(at_a_.failures, (decltype(at_a_.failures){{to_b_, ENETUNREACH}}));
  EXPECT_TRUE(at_b_.messages.empty());
  EXPECT_EQ(a_->faults().failed_sends, 1U);
}

TEST_F(FaultyEndpointTest, failed_read_is_told_and_the_next_one_is_done) {
  open();
  Bytes memory = pattern(100);
  const auto registered = b_.register_memory(memory);
  Bytes copy(100);
  RemoteRead read(to_b_, registered->remote(), copy);
  a_->fail_reads(1, EIO);
  a_->read(read);
  EXPECT_TRUE(read.is_running());
  EXPECT_FALSE(a_->may_sleep());
  settle();
  ASSERT_EQ(at_a_.reads.size(), 1U);
  EXPECT_EQ(at_a_.reads[0].result, ReadResult::failed);
  EXPECT_EQ(at_a_.reads[0].error, EIO);
  EXPECT_EQ(copy, Bytes(100));
  a_->read(read);
  settle();
  ASSERT_EQ(at_a_.reads.size(), 2U);
  EXPECT_EQ(at_a_.reads[1].result, ReadResult::done);
  EXPECT_EQ(a_->faults().failed_reads, 1U);
}

TEST_F(FaultyEndpointTest, lost_polls_do_nothing_and_nobody_sleeps_meanwhile) {
  open();
  ASSERT_EQ(b_.send(to_a, {}), SendOutcome::done);
  a_->lose_polls(2);
  EXPECT_EQ(a_->poll(at_a_), 0U);
  EXPECT_FALSE(a_->may_sleep());
  EXPECT_EQ(a_->poll(at_a_), 0U);
  EXPECT_TRUE(at_a_.messages.empty());
  EXPECT_NE(a_->poll(at_a_), 0U);
  EXPECT_EQ(at_a_.messages.size(), 1U);
  EXPECT_EQ(a_->faults().lost_polls, 2U);
}

TEST_F(FaultyEndpointTest, delays_change_the_order_between_peers_but_not_within_one) {
  open({.seed = 3, .longest_delay = 10});
  for (unsigned i = 0; i < 50; ++i) {
    ASSERT_EQ(b_.send(to_a, pattern(8, i)), SendOutcome::done);
    ASSERT_EQ(c_.send(to_a, pattern(8, i)), SendOutcome::done);
    poll_all();
  }
  settle();
  ASSERT_EQ(at_a_.messages.size(), 100U);
  unsigned from_b = 0;
  unsigned from_c = 0;
  bool alternates = true;
  for (const auto& [from, bytes] : at_a_.messages) {
    alternates = alternates && from == (from_b == from_c ? to_b_ : to_c_);
    EXPECT_EQ(bytes, pattern(8, from == to_b_ ? from_b++ : from_c++));
  }
  EXPECT_FALSE(alternates);
  EXPECT_GT(a_->faults().held_back, 0U);
}

TEST_F(FaultyEndpointTest, what_is_held_back_of_a_peer_that_is_removed_is_dropped) {
  open({.seed = 3, .longest_delay = 50});
  for (unsigned i = 0; i < 10; ++i) ASSERT_EQ(b_.send(to_a, pattern(8, i)), SendOutcome::done);
  poll_all();
  const std::size_t before = at_a_.messages.size();
  a_->remove_peer(to_b_);
  settle();
  EXPECT_LT(before, 10U);
  EXPECT_EQ(at_a_.messages.size(), before);
}

TEST_F(FaultyEndpointTest, nothing_goes_to_a_silent_peer_or_comes_from_it) {
  open();
  ASSERT_EQ(b_.send(to_a, pattern(3)), SendOutcome::done);
  settle();
  const std::uint64_t heard = a_->heard_from(to_b_);
  a_->silence(to_b_);
  ASSERT_EQ(b_.send(to_a, pattern(4)), SendOutcome::done);
  ASSERT_EQ(b_.send_beat(to_a), SendOutcome::done);
  for (std::uint32_t i = 0; i < FaultyEndpoint::most_swallowed; ++i)
    ASSERT_EQ(a_->send(to_b_, {}), SendOutcome::done);
  EXPECT_EQ(a_->send(to_b_, {}), SendOutcome::retry);
  EXPECT_EQ(a_->send_beat(to_b_), SendOutcome::retry);
  settle();
  EXPECT_EQ(at_a_.messages.size(), 1U);
  EXPECT_TRUE(at_b_.messages.empty());
  EXPECT_EQ(a_->heard_from(to_b_), heard);
  EXPECT_EQ(a_->faults().dropped, 1U);
  EXPECT_EQ(a_->faults().swallowed, FaultyEndpoint::most_swallowed);
  EXPECT_EQ(a_->send(to_c_, {}), SendOutcome::done) << "others are reached";
}

TEST_F(FaultyEndpointTest, reads_from_a_silent_peer_end_when_it_is_removed) {
  open();
  Bytes memory = pattern(100);
  const auto registered = b_.register_memory(memory);
  Bytes copy(100);
  RemoteRead before(to_b_, registered->remote(), copy);
  RemoteRead after(to_b_, registered->remote(), copy);
  a_->read(before);
  a_->silence(to_b_);
  a_->read(after);
  settle();
  EXPECT_TRUE(at_a_.reads.empty());
  a_->remove_peer(to_b_);
  EXPECT_FALSE(a_->may_sleep());
  settle();
  ASSERT_EQ(at_a_.reads.size(), 2U);
  for (const auto& end : at_a_.reads) {
    EXPECT_EQ(end.result, ReadResult::failed);
    EXPECT_EQ(end.error, ECONNRESET);
  }
}

TEST_F(FaultyEndpointTest, mistakes_of_the_caller_are_told_as_without_faults) {
  open({.retry = 1});
  EXPECT_THROW(a_->send(to_b_, Bytes(a_->largest_message() + 1)), TooLarge);
  EXPECT_THROW(a_->send(99, {}), InvalidArgument);
  EXPECT_THROW(a_->silence(99), InvalidArgument);
  EXPECT_THROW(a_->heard_from(99), InvalidArgument);
  Bytes copy(1);
  RemoteRead read(99, {.size = 1}, copy);
  EXPECT_THROW(a_->read(read), InvalidArgument);
  a_->remove_peer(to_b_);
  EXPECT_THROW(a_->send(to_b_, {}), InvalidArgument);
}

/// The outcomes of some calls: what a seed decides.
std::vector<SendOutcome> outcomes(std::uint64_t seed) {
  LoopbackNetwork network;
  LoopbackEndpoint under(network);
  LoopbackEndpoint other(network);
  FaultyEndpoint endpoint(under, {.seed = seed, .retry = 0.5});
  const PeerNumber peer = endpoint.add_peer(other.address());
  std::vector<SendOutcome> result(50);
  for (SendOutcome& outcome : result) outcome = endpoint.send(peer, {});
  return result;
}

TEST(FaultSettings, same_seed_gives_the_same_faults_and_another_seed_others) {
  EXPECT_EQ(outcomes(1), outcomes(1));
  EXPECT_NE(outcomes(1), outcomes(2));
}

TEST(FaultSettings, faults_happen_about_as_often_as_their_probability_says) {
  LoopbackNetwork network;
  LoopbackEndpoint under(network);
  LoopbackEndpoint other(network);
  FaultyEndpoint endpoint(under, {.send_failure = 0.25, .read_failure = 0.75, .lost_poll = 0.5});
  const PeerNumber peer = endpoint.add_peer(other.address());
  Mailbox mailbox;
  Mailbox at_other;
  Bytes memory = pattern(10);
  const auto registered = other.register_memory(memory);
  Bytes copy(10);
  constexpr int calls = 4000;
  for (int i = 0; i < calls; ++i) {
    while (endpoint.send(peer, {}) == SendOutcome::retry) endpoint.poll(mailbox);
    RemoteRead read(peer, registered->remote(), copy);
    endpoint.read(read);
    while (read.is_running()) {
      other.poll(at_other);
      endpoint.poll(mailbox);
    }
  }
  const FaultCounters& faults = endpoint.faults();
  EXPECT_NEAR(static_cast<double>(faults.failed_sends), 0.25 * calls, 0.04 * calls);
  EXPECT_NEAR(static_cast<double>(faults.failed_reads), 0.75 * calls, 0.04 * calls);
  EXPECT_GT(faults.lost_polls, 0U);
}

}  // namespace
}  // namespace wyvern::test
