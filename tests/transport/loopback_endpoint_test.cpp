#include <poll.h>

#include <cerrno>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/loopback_endpoint.hpp>

#include "transport/mailbox.hpp"

namespace wyvern::test {
namespace {

/// What is particular to the loopback; what all endpoints do is in endpoint_*_test.cpp.
struct Side {
  explicit Side(LoopbackNetwork& network, const std::string& name = {}) : endpoint(network, name) {}
  void poll() { endpoint.poll(mailbox); }

  LoopbackEndpoint endpoint;
  Mailbox mailbox;
};

int sends_until_retry(Side& from, PeerNumber to) {
  int accepted = 0;
  while (from.endpoint.send(to, pattern(10)) == SendOutcome::done) ++accepted;
  return accepted;
}

class LoopbackEndpointTest : public ::testing::TestWithParam<LoopbackDeath> {
 protected:
  LoopbackEndpointTest()
      : network_({.death = GetParam()}), a_(network_), b_(std::make_unique<Side>(network_, "b")) {
    to_b_ = a_.endpoint.add_peer(b_->endpoint.address());
    to_a_ = b_->endpoint.add_peer(a_.endpoint.address());
  }

  LoopbackNetwork network_;
  Side a_;
  std::unique_ptr<Side> b_;
  PeerNumber to_a_ = 0;
  PeerNumber to_b_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Deaths, LoopbackEndpointTest,
                         ::testing::Values(LoopbackDeath::silent, LoopbackDeath::refused),
                         [](const auto& death) {
                           return death.param == LoopbackDeath::silent ? "silent" : "refused";
                         });

TEST_P(LoopbackEndpointTest, sends_are_bounded_to_half_of_what_is_free_for_each_peer) {
  Side c(network_);
  const PeerNumber to_c = a_.endpoint.add_peer(c.endpoint.address());
  EXPECT_EQ(sends_until_retry(a_, to_b_), 128);
  EXPECT_EQ(sends_until_retry(a_, to_c), 64);
  EXPECT_EQ(a_.endpoint.counters().too_many_sends, 2U);
  b_->poll();  // 16 of them
  EXPECT_EQ(b_->mailbox.messages.size(), 16U);
  EXPECT_EQ(a_.endpoint.send(to_c, {}), SendOutcome::retry) << "the sender has not polled";
  a_.poll();
  EXPECT_EQ(a_.endpoint.send(to_c, {}), SendOutcome::done);
}

TEST_P(LoopbackEndpointTest, same_seed_gives_the_same_epochs_and_keys_and_another_seed_others) {
  Bytes memory(10);
  const auto key_and_address = [&](std::uint64_t seed) {
    LoopbackNetwork network({.seed = seed});
    LoopbackEndpoint endpoint(network, "same");
    return std::pair(endpoint.register_memory(memory)->remote().key, endpoint.address());
  };
  EXPECT_EQ(key_and_address(1), key_and_address(1));
  EXPECT_NE(key_and_address(1).first, key_and_address(2).first);
  EXPECT_NE(key_and_address(1).second, key_and_address(2).second);
}

TEST_P(LoopbackEndpointTest, place_of_an_endpoint_that_lives_is_taken) {
  EXPECT_THROW(LoopbackEndpoint(network_, "b"), InvalidArgument);
  b_.reset();
  EXPECT_NO_THROW(LoopbackEndpoint(network_, "b"));
}

TEST_P(LoopbackEndpointTest, what_was_sent_before_its_sender_died_arrives) {
  ASSERT_EQ(a_.endpoint.send(to_b_, pattern(3)), SendOutcome::done);
  network_.kill(a_.endpoint);
  EXPECT_EQ(a_.endpoint.send(to_b_, pattern(4)), SendOutcome::retry);
  b_->poll();
  ASSERT_EQ(b_->mailbox.messages.size(), 1U);
  EXPECT_EQ(b_->mailbox.messages[0].second, pattern(3));
  a_.poll();
}

TEST_P(LoopbackEndpointTest, sends_to_the_dead_are_taken_up_to_the_bound_or_fail) {
  ASSERT_EQ(a_.endpoint.send(to_b_, pattern(3)), SendOutcome::done);
  network_.kill(b_->endpoint);
  if (GetParam() == LoopbackDeath::silent) {
    EXPECT_EQ(sends_until_retry(a_, to_b_), 127);
    a_.poll();
    EXPECT_EQ(a_.endpoint.send(to_b_, {}), SendOutcome::retry);
    EXPECT_EQ(a_.endpoint.send_beat(to_b_), SendOutcome::retry);
    EXPECT_TRUE(a_.mailbox.failures.empty());
    return;
  }
  EXPECT_EQ(a_.endpoint.send(to_b_, {}), SendOutcome::failed);
  EXPECT_EQ(a_.endpoint.send_beat(to_b_), SendOutcome::failed);
  a_.poll();
  ASSERT_EQ(a_.mailbox.failures.size(), 1U) << "the one that was under way";
  EXPECT_EQ(a_.mailbox.failures[0], std::pair(to_b_, ENOTCONN));
}

TEST_P(LoopbackEndpointTest, removing_a_dead_peer_gives_back_all_that_was_sent_to_it) {
  network_.kill(b_->endpoint);
  while (a_.endpoint.send(to_b_, {}) == SendOutcome::done) continue;
  a_.endpoint.remove_peer(to_b_);
  a_.poll();
  Side c(network_);
  EXPECT_EQ(sends_until_retry(a_, a_.endpoint.add_peer(c.endpoint.address())), 128);
}

TEST_P(LoopbackEndpointTest, read_from_the_dead_ends_with_the_peers_removal_or_fails) {
  Bytes memory = pattern(10);
  const auto registered = b_->endpoint.register_memory(memory);
  Bytes copy(10);
  RemoteRead read(to_b_, registered->remote(), copy);
  a_.endpoint.read(read);
  network_.kill(b_->endpoint);
  for (int i = 0; i < 100; ++i) a_.poll();
  if (GetParam() == LoopbackDeath::refused) {
    ASSERT_EQ(a_.mailbox.reads.size(), 1U);
    EXPECT_EQ(a_.mailbox.reads[0].result, ReadResult::failed);
    EXPECT_EQ(a_.mailbox.reads[0].error, ENOTCONN);
    a_.endpoint.read(read);
    EXPECT_FALSE(a_.endpoint.may_sleep()) << "its end is to be told";
    a_.poll();
    EXPECT_EQ(a_.mailbox.reads.size(), 2U);
    return;
  }
  EXPECT_TRUE(a_.mailbox.reads.empty());
  a_.endpoint.remove_peer(to_b_);
  EXPECT_FALSE(a_.endpoint.may_sleep());
  for (int i = 0; i < 100; ++i) a_.poll();
  ASSERT_EQ(a_.mailbox.reads.size(), 1U);
  EXPECT_EQ(a_.mailbox.reads[0].result, ReadResult::abandoned);
  EXPECT_TRUE(read.is_running());
}

TEST_P(LoopbackEndpointTest, read_of_a_removed_peer_that_lives_writes_until_it_has_failed) {
  Bytes memory = pattern(10);
  const auto registered = b_->endpoint.register_memory(memory);
  Bytes copy(10);
  RemoteRead read(to_b_, registered->remote(), copy);
  a_.endpoint.read(read);
  a_.endpoint.remove_peer(to_b_);
  a_.poll();
  ASSERT_EQ(a_.mailbox.reads.size(), 1U);
  EXPECT_EQ(a_.mailbox.reads[0].result, ReadResult::abandoned);
  b_->poll();
  a_.poll();
  ASSERT_EQ(a_.mailbox.reads.size(), 2U);
  EXPECT_EQ(a_.mailbox.reads[1].result, ReadResult::failed);
  EXPECT_EQ(copy, memory) << "what is abandoned may still be written to";
}

TEST_P(LoopbackEndpointTest, one_that_returns_to_the_place_gets_what_was_for_the_one_before_and_drops_it) {
  if (GetParam() == LoopbackDeath::refused) return;  // nothing is left then
  ASSERT_EQ(a_.endpoint.send(to_b_, pattern(3)), SendOutcome::done);
  Bytes copy(10);
  RemoteRead read(to_b_, {.address = 0, .key = 1, .size = 10}, copy);
  a_.endpoint.read(read);
  b_.reset();
  ASSERT_EQ(a_.endpoint.send_beat(to_b_), SendOutcome::done);
  Side again(network_, "b");
  const PeerNumber to_again = a_.endpoint.add_peer(again.endpoint.address());
  again.endpoint.add_peer(a_.endpoint.address());
  ASSERT_EQ(a_.endpoint.send(to_again, pattern(4)), SendOutcome::done);
  again.poll();
  EXPECT_EQ(again.endpoint.counters().for_somebody_else, 2U);
  ASSERT_EQ(again.mailbox.messages.size(), 1U);
  EXPECT_EQ(again.mailbox.messages[0].second, pattern(4));
  a_.poll();
  ASSERT_EQ(a_.mailbox.reads.size(), 1U);
  EXPECT_EQ(a_.mailbox.reads[0].result, ReadResult::failed);
}

TEST_P(LoopbackEndpointTest, answers_to_the_dead_do_not_reach_their_successor) {
  ASSERT_EQ(b_->endpoint.send(to_a_, pattern(3)), SendOutcome::done);
  Bytes memory = pattern(10);
  const auto registered = a_.endpoint.register_memory(memory);
  Bytes copy(10);
  RemoteRead read(to_a_, registered->remote(), copy);
  b_->endpoint.read(read);
  network_.kill(b_->endpoint);
  Side again(network_, "b");
  a_.poll();
  again.poll();
  EXPECT_EQ(copy, Bytes(10));
  EXPECT_TRUE(again.mailbox.reads.empty());
}

TEST_P(LoopbackEndpointTest, descriptor_is_readable_while_there_is_something_to_poll) {
  pollfd wait{.fd = b_->endpoint.descriptor(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&wait, 1, 0), 0);
  EXPECT_TRUE(b_->endpoint.may_sleep());
  ASSERT_EQ(a_.endpoint.send(to_b_, {}), SendOutcome::done);
  EXPECT_EQ(::poll(&wait, 1, 0), 1);
  EXPECT_FALSE(b_->endpoint.may_sleep());
  b_->poll();
  EXPECT_EQ(::poll(&wait, 1, 0), 0);
  EXPECT_TRUE(b_->endpoint.may_sleep());
}

TEST(LoopbackSettings, network_can_be_as_a_provider_without_a_descriptor_and_with_few_sends) {
  LoopbackNetwork network({.most_sends = 2,
                           .most_events = 1,
                           .has_descriptor = false,
                           .reads_into_registered_memory_only = true});
  Side a(network);
  Side b(network);
  const PeerNumber to_b = a.endpoint.add_peer(b.endpoint.address());
  EXPECT_EQ(a.endpoint.descriptor(), -1);
  EXPECT_FALSE(a.endpoint.may_sleep());
  EXPECT_EQ(sends_until_retry(a, to_b), 1);
  Bytes copy(10);
  RemoteRead read(to_b, {.size = 10}, copy);
  EXPECT_THROW(a.endpoint.read(read), InvalidArgument);
}

}  // namespace
}  // namespace wyvern::test
