#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/peer_watch.hpp>

#include "fake_endpoint.hpp"

namespace wyvern::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A watch with the options that it has by itself (1, 3, 5 s), and its time.
class PeerWatchTest : public ::testing::Test {
 protected:
  PeerWatchTest() {
    add(1);
    add(2);
  }
  void add(PeerNumber peer) {
    endpoint_.peers[peer] = {};
    watch_.add(peer, now_);
  }
  FakeEndpoint::Peer& peer(PeerNumber number) { return endpoint_.peers.at(number); }
  /// Calls the watch whenever it wants to be called, until that much later. Peers in `heard` say something
  /// before each call. Stops at the first loss.
  std::optional<LostPeer> let_pass(milliseconds duration, const std::vector<PeerNumber>& heard = {}) {
    const auto end = now_ + duration;
    while (true) {
      now_ = std::min(end, std::max(now_, watch_.next_check()));
      for (const PeerNumber number : heard) ++peer(number).heard;
      const auto lost = watch_.check(now_);
      if (!lost.empty()) return lost.front();
      if (now_ == end) return std::nullopt;
    }
  }
  seconds passed() const { return std::chrono::duration_cast<seconds>(now_ - start_); }

  const PeerWatch::Time start_{seconds(1000)};
  PeerWatch::Time now_ = start_;
  FakeEndpoint endpoint_;
  PeerWatch watch_{endpoint_};
};

TEST_F(PeerWatchTest, each_peer_gets_a_beat_at_once_and_one_an_interval) {
  watch_.check(now_);
  EXPECT_EQ(peer(1).beats, 1);
  EXPECT_EQ(watch_.next_check(), now_ + seconds(1));
  watch_.check(now_ + milliseconds(999));
  EXPECT_EQ(peer(1).beats, 1);
  EXPECT_FALSE(let_pass(seconds(4), {1, 2}));
  EXPECT_EQ(peer(1).beats, 5);
  EXPECT_EQ(peer(2).beats, 5);
}

TEST_F(PeerWatchTest, beats_that_are_due_within_half_an_interval_go_out_together) {
  watch_.check(now_);
  now_ += milliseconds(400);
  add(3);
  watch_.check(now_);
  EXPECT_EQ(peer(3).beats, 1);
  EXPECT_EQ(peer(1).beats, 1) << "due in 600 ms";
  EXPECT_EQ(watch_.next_check(), start_ + seconds(1));
  now_ = watch_.next_check();
  watch_.check(now_);
  EXPECT_EQ(peer(1).beats, 2);
  EXPECT_EQ(peer(3).beats, 2) << "due in 400 ms";
  EXPECT_EQ(watch_.next_check(), start_ + seconds(2));
}

TEST_F(PeerWatchTest, beat_that_is_due_within_half_an_interval_answers_what_was_heard) {
  watch_.check(now_);
  for (const auto& [after, beats] : {std::pair(499, 1), std::pair(500, 2), std::pair(600, 2)}) {
    ++peer(1).heard;
    watch_.check(start_ + milliseconds(after));
    EXPECT_EQ(peer(1).beats, beats) << after << " ms";
    EXPECT_EQ(peer(2).beats, 1);
  }
}

TEST_F(PeerWatchTest, beats_in_step_go_out_when_the_clock_shows_a_multiple_of_the_interval) {
  PeerWatch in_step(endpoint_, {.is_in_step = true});
  now_ += milliseconds(300);
  add(3);
  in_step.add(3, now_);
  in_step.check(now_);
  EXPECT_EQ(peer(3).beats, 1) << "the first one is not kept waiting";
  EXPECT_EQ(in_step.next_check(), start_ + seconds(1));
  in_step.check(start_ + seconds(1));
  EXPECT_EQ(peer(3).beats, 2);
  // An answer comes close before the next step, which then need not be.
  ++peer(3).heard;
  in_step.check(start_ + milliseconds(1800));
  EXPECT_EQ(peer(3).beats, 3);
  EXPECT_EQ(in_step.next_check(), start_ + seconds(3));
}

TEST_F(PeerWatchTest, silent_peer_is_suspect_then_lost_once_and_the_others_are_not) {
  EXPECT_FALSE(let_pass(seconds(1), {1, 2}));
  EXPECT_FALSE(let_pass(milliseconds(2999), {2}));
  EXPECT_EQ(watch_.state(1), PeerState::alive);
  EXPECT_FALSE(let_pass(milliseconds(1), {2}));
  EXPECT_EQ(watch_.state(1), PeerState::suspect);
  const auto lost = let_pass(seconds(60), {2});
  ASSERT_TRUE(lost);
  EXPECT_EQ(passed(), seconds(6)) << "not later than it has to be";
  EXPECT_EQ(lost->peer, 1U);
  EXPECT_EQ(lost->reason, LossReason::silent);
  EXPECT_EQ(lost->silent_for, seconds(5));
  EXPECT_EQ(watch_.state(1), PeerState::lost);
  EXPECT_EQ(watch_.state(2), PeerState::alive);
  const int beats = peer(1).beats;
  EXPECT_FALSE(let_pass(seconds(60), {1, 2})) << "a loss is told once, and it stays one";
  EXPECT_EQ(peer(1).beats, beats) << "nothing is sent to the dead";
  watch_.remove(1);
  EXPECT_THROW(watch_.state(1), InvalidArgument);
}

TEST_F(PeerWatchTest, suspect_that_is_heard_is_alive_and_has_all_its_time_again) {
  EXPECT_FALSE(let_pass(milliseconds(4900), {2}));
  EXPECT_EQ(watch_.state(1), PeerState::suspect);
  EXPECT_FALSE(let_pass(milliseconds(50), {1, 2}));
  EXPECT_EQ(watch_.state(1), PeerState::alive);
  EXPECT_FALSE(let_pass(milliseconds(4900), {2}));
}

TEST_F(PeerWatchTest, peer_that_never_answers_is_told_from_one_that_nobody_listens_for) {
  peer(2).outcome = SendOutcome::retry;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(watch_.check(now_ + seconds(i)).empty());
  const auto lost = watch_.check(now_ + seconds(5));
  ASSERT_EQ(lost.size(), 2U) << "both in one call";
  EXPECT_EQ(lost[0].reason, LossReason::never_answered);
  EXPECT_EQ(lost[1].reason, LossReason::nobody_there);
  EXPECT_TRUE(watch_.check(now_ + seconds(5)).empty());
}

TEST_F(PeerWatchTest, first_answer_may_take_longer_than_later_silence) {
  PeerWatch patient(endpoint_, {.first_answer_within = seconds(30)});
  for (const PeerNumber number : {1U, 2U}) patient.add(number, now_);
  const auto check_until = [&](seconds time) {
    while (now_ < start_ + time && patient.check(now_).empty()) now_ += seconds(1);
    return passed();
  };
  EXPECT_EQ(check_until(seconds(10)), seconds(10));
  EXPECT_EQ(patient.state(1), PeerState::suspect);
  ++peer(1).heard;
  EXPECT_EQ(check_until(seconds(60)), seconds(15)) << "once it was heard it is as any other";
  EXPECT_EQ(patient.state(1), PeerState::lost);
  EXPECT_EQ(patient.state(2), PeerState::suspect);
  now_ += seconds(1);
  EXPECT_EQ(check_until(seconds(60)), seconds(30));
  EXPECT_EQ(patient.state(2), PeerState::lost);
}

TEST_F(PeerWatchTest, beat_that_cannot_be_sent_is_tried_again_soon_and_is_no_failure) {
  peer(1).outcome = SendOutcome::retry;
  EXPECT_FALSE(let_pass(seconds(1)));
  EXPECT_EQ(peer(1).beats, 11);
  EXPECT_EQ(peer(2).beats, 3) << "when due, or half an interval before";
  peer(1).outcome = SendOutcome::done;
  EXPECT_FALSE(let_pass(seconds(60), {1, 2}));
  EXPECT_EQ(watch_.state(1), PeerState::alive);
}

TEST_F(PeerWatchTest, failed_send_makes_suspect_and_a_beat_verifies_at_once) {
  EXPECT_FALSE(let_pass(seconds(10), {1, 2}));
  const int beats = peer(1).beats;
  watch_.send_failed(1, ENOTCONN);
  EXPECT_EQ(watch_.state(1), PeerState::suspect);
  EXPECT_LE(watch_.next_check(), now_);
  EXPECT_TRUE(watch_.check(now_).empty());
  EXPECT_EQ(peer(1).beats, beats + 1);
  EXPECT_FALSE(let_pass(milliseconds(1999), {2}));
  const auto lost = let_pass(seconds(60), {2});
  ASSERT_TRUE(lost);
  EXPECT_EQ(passed(), seconds(12)) << "what is left to a suspect";
  EXPECT_EQ(lost->reason, LossReason::unreachable);
  EXPECT_EQ(lost->fabric_errno, ENOTCONN);
}

TEST_F(PeerWatchTest, all_that_fails_with_one_connection_counts_once) {
  EXPECT_FALSE(let_pass(seconds(10), {1, 2}));
  watch_.send_failed(1, ENOTCONN);
  EXPECT_FALSE(let_pass(milliseconds(1500), {2}));
  for (int i = 0; i < 100; ++i) watch_.send_failed(1, ECANCELED);
  const auto lost = let_pass(seconds(60), {2});
  ASSERT_TRUE(lost);
  EXPECT_EQ(passed(), seconds(12));
  EXPECT_EQ(lost->fabric_errno, ENOTCONN);
}

TEST_F(PeerWatchTest, peer_that_is_heard_after_a_failure_is_alive) {
  EXPECT_FALSE(let_pass(seconds(10), {1, 2}));
  ++peer(1).heard;  // before the failure, though nobody has looked yet
  watch_.send_failed(1, ECONNRESET);
  watch_.check(now_);
  EXPECT_EQ(watch_.state(1), PeerState::suspect);
  ++peer(1).heard;
  watch_.check(now_);
  EXPECT_EQ(watch_.state(1), PeerState::alive);
  EXPECT_FALSE(let_pass(milliseconds(4900), {2}));
}

TEST_F(PeerWatchTest, endpoint_that_refuses_a_second_beat_means_lost_at_once) {
  EXPECT_FALSE(let_pass(seconds(10), {1, 2}));
  peer(1).outcome = SendOutcome::failed;
  const auto lost = let_pass(seconds(60), {2});
  ASSERT_TRUE(lost);
  EXPECT_EQ(passed(), seconds(11)) << "the beat after 11 s, and one a tenth of a second later";
  EXPECT_EQ(lost->reason, LossReason::unreachable);
  EXPECT_EQ(lost->fabric_errno, 0);
}

TEST_F(PeerWatchTest, who_was_away_himself_finds_nobody_dead) {
  EXPECT_FALSE(let_pass(seconds(10), {1, 2}));
  EXPECT_FALSE(let_pass(milliseconds(4500), {2}));
  now_ += seconds(100);
  EXPECT_TRUE(watch_.check(now_).empty());
  EXPECT_EQ(watch_.state(1), PeerState::suspect);
  EXPECT_EQ(watch_.state(2), PeerState::alive);
  EXPECT_FALSE(let_pass(milliseconds(400), {2}));
  const auto lost = let_pass(seconds(60), {2});
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->silent_for, seconds(5)) << "the time away does not count";
}

TEST_F(PeerWatchTest, who_always_comes_late_finds_the_dead_too) {
  EXPECT_FALSE(let_pass(seconds(1), {1, 2}));
  int calls = 0;
  while (watch_.state(1) != PeerState::lost) {
    now_ += seconds(7);
    ++peer(2).heard;
    watch_.check(now_);
    ++calls;
  }
  EXPECT_EQ(calls, 4);
  EXPECT_EQ(watch_.state(2), PeerState::alive);
}

TEST_F(PeerWatchTest, time_before_a_peer_was_added_is_not_its_silence) {
  EXPECT_FALSE(let_pass(seconds(10), {1, 2}));
  now_ += milliseconds(1900);
  add(3);
  EXPECT_LE(watch_.next_check(), now_);
  EXPECT_FALSE(let_pass(milliseconds(4999), {1, 2}));
  const auto lost = let_pass(seconds(60), {1, 2});
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->peer, 3U);
}

TEST_F(PeerWatchTest, many_peers_get_their_beats_some_at_a_time) {
  for (PeerNumber number = 3; number <= 200; ++number) add(number);
  int calls = 0;
  while (watch_.next_check() <= now_) {
    watch_.check(now_);
    ++calls;
  }
  EXPECT_EQ(calls, 4);
  for (const auto& [number, fake] : endpoint_.peers) EXPECT_EQ(fake.beats, 1) << number;
}

TEST_F(PeerWatchTest, nobody_is_watched_twice_or_without_being_there) {
  EXPECT_THROW(watch_.add(1, now_), InvalidArgument);
  EXPECT_THROW(watch_.remove(3), InvalidArgument);
  EXPECT_NO_THROW(watch_.send_failed(3, ENOTCONN));
  watch_.remove(1);
  watch_.remove(2);
  EXPECT_EQ(watch_.next_check(), PeerWatch::Time::max());
  EXPECT_TRUE(watch_.check(now_ + seconds(100)).empty());
}

TEST(PeerWatch, options_that_contradict_each_other_are_refused) {
  FakeEndpoint endpoint;
  const auto make = [&](int interval, int suspect, int lost, bool is_in_step = false) {
    const PeerWatch watch(endpoint, {.interval = milliseconds(interval),
                                     .suspect_after = milliseconds(suspect),
                                     .lost_after = milliseconds(lost),
                                     .is_in_step = is_in_step});
  };
  EXPECT_NO_THROW(make(10, 20, 30));
  EXPECT_NO_THROW(make(10, 25, 35, true));
  EXPECT_THROW(make(10, 24, 35, true), InvalidArgument);
  EXPECT_THROW(make(0, 20, 30), InvalidArgument);
  EXPECT_THROW(make(-1, 20, 30), InvalidArgument);
  EXPECT_THROW(make(10, 19, 30), InvalidArgument);
  EXPECT_THROW(make(10, 20, 29), InvalidArgument);
}

TEST(PeerWatch, description_names_the_peer_and_what_to_do) {
  for (const LossReason reason :
       {LossReason::silent, LossReason::never_answered, LossReason::nobody_there, LossReason::unreachable}) {
    const std::string text =
        describe({.peer = 3, .reason = reason, .silent_for = milliseconds(5300), .fabric_errno = ENOTCONN},
                 "node gpu7");
    EXPECT_TRUE(text.starts_with("node gpu7 is lost: ")) << text;
    EXPECT_NE(text.find("5.3 s"), std::string::npos) << text;
  }
  const LostPeer unreachable{.reason = LossReason::unreachable, .fabric_errno = ENOTCONN};
  EXPECT_NE(describe(unreachable, "it").find("not connected"), std::string::npos);
}

}  // namespace
}  // namespace wyvern::test
