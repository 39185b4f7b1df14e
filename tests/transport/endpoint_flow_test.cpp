#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "support/stamped.hpp"
#include "transport/endpoint_conformance.hpp"

namespace wyvern::test {
namespace {

/// What of the sender and receiver together, beyond what they had before, may be in memory for messages that
/// are not received. It does not depend on how many the caller would like to send.
#ifdef __SANITIZE_ADDRESS__  // which keeps what was freed for a while
constexpr std::uint64_t most_bytes_in_between = std::uint64_t{1} << 40;
#else
constexpr std::uint64_t most_bytes_in_between = std::uint64_t{32} << 20;
#endif
constexpr std::size_t message_bytes = 1000;

class EndpointFlow : public EndpointConformance {
 protected:
  /// Sends stamped messages, from number `sent` on, until there are `most` or nothing more goes for a while;
  /// nobody but the sender polls meanwhile. The number of the next one.
  std::uint64_t send_in_vain(PeerNumber to, std::uint64_t sent, std::uint64_t most) {
    // How many fit in between is the provider's, and the system's.
    for (int in_vain = 0; in_vain < 20'000 && sent < most;) {
      const SendOutcome outcome = a_->endpoint.send(to, make_stamped({Puid(1), sent}, message_bytes));
      EXPECT_NE(outcome, SendOutcome::failed);
      if (outcome == SendOutcome::done) {
        ++sent;
        in_vain = 0;
      } else {
        ++in_vain;
        a_->poll();
      }
    }
    return sent;
  }
};
INSTANTIATE_TEST_SUITE_P(Over, EndpointFlow, every_path(), path_name);

TEST_P(EndpointFlow, sends_to_a_peer_that_does_not_poll_are_bounded_and_nothing_is_lost) {
  constexpr std::uint64_t most = 100'000;
  send(*a_, to_b_, make_stamped({Puid(2), 0}));  // the connection takes both
  poll_until([&] { return b_->mailbox.messages.size() == 1; });
  const std::uint64_t sent = send_in_vain(to_b_, 0, most);
  EXPECT_LT(sent * message_bytes, most_bytes_in_between);
  const EndpointCounters& counters = a_->endpoint.counters();
  EXPECT_GT(counters.too_many_sends + counters.provider_was_busy, 0U);
  poll_until([&] { return b_->mailbox.messages.size() == sent + 1; });
  for (std::uint64_t i = 0; i < sent; ++i)
    ASSERT_EQ(read_stamped(b_->mailbox.messages[i + 1].second).sequence, i);
}

TEST_P(EndpointFlow, peer_that_takes_nothing_does_not_keep_others_from_being_sent_to) {
  Side& silent = open_side();
  const PeerNumber to_silent = a_->endpoint.add_peer(silent.endpoint.address());
  silent.endpoint.add_peer(a_->endpoint.address());
  expect_talk(*a_, to_silent, silent);
  expect_talk(*a_, to_b_, *b_);
  send_in_vain(to_silent, 0, 100'000);
  constexpr std::size_t count = 2000;
  for (std::size_t sent = 0; b_->mailbox.messages.size() < count + 1;) {
    const Bytes message = pattern(message_bytes, static_cast<unsigned>(sent));
    if (sent < count && a_->endpoint.send(to_b_, message) == SendOutcome::done) ++sent;
    a_->poll();
    b_->poll();
  }
  for (unsigned i = 0; i < count; ++i)
    ASSERT_EQ(b_->mailbox.messages[i + 1].second, pattern(message_bytes, i));
  EXPECT_EQ(silent.mailbox.messages.size(), 1U);
}

/// What the memory of some processes has grown by.
class Growth {
 public:
  /// "self", and others.
  explicit Growth(std::vector<std::string> processes)
      : processes_(std::move(processes)), before_(resident()) {}
  void measure() { largest_ = std::max(largest_, resident()); }
  std::uint64_t largest() const { return largest_ <= before_ ? 0 : largest_ - before_; }

 private:
  std::uint64_t resident() const {
    std::uint64_t sum = 0;
    for (const std::string& process : processes_) sum += resident_bytes(process);
    return sum;
  }
  std::vector<std::string> processes_;
  std::uint64_t before_;
  std::uint64_t largest_ = 0;
};

TEST_P(EndpointFlow, hundred_thousand_messages_to_a_peer_that_does_not_receive_take_bounded_memory) {
  const std::uint64_t count = path_->scaled(100'000);
  RemotePeer& peer = play();
  const PeerNumber to_peer = a_->endpoint.add_peer(peer.address());
  // What both sides take once is taken: connections, buffers, code.
  std::uint64_t sent = 0;
  for (; sent < 1000; ++sent) send(*a_, to_peer, make_stamped({Puid(1), sent}, message_bytes));
  poll_until([&] { return peer.board().received == sent; });
  peer.set_polls(false);
  // On paths within one process that one is all.
  Growth growth(peer.pid() < 0 ? std::vector<std::string>{"self"}
                               : std::vector<std::string>{"self", std::to_string(peer.pid())});
  sent = send_in_vain(to_peer, sent, count);
  growth.measure();
  EXPECT_LT(sent, count) << "the sender has to wait";
  peer.set_polls(true);
  for (; sent < count; ++sent) {
    send(*a_, to_peer, make_stamped({Puid(1), sent}, message_bytes));
    if (sent % 1000 == 0) growth.measure();
  }
  poll_until([&] { return peer.board().received == count; });
  EXPECT_EQ(peer.board().out_of_order + peer.board().damaged, 0U);
  growth.measure();
  RecordProperty("bytes_in_between", std::to_string(growth.largest()));
  EXPECT_LT(growth.largest(), most_bytes_in_between);
}

TEST_P(EndpointFlow, hundred_thousand_messages_of_several_peers_at_a_time_take_bounded_memory) {
  const std::uint64_t count = path_->scaled(100'000);
  constexpr std::size_t peers = 4;
  std::map<PeerNumber, std::uint64_t> next;
  const auto receive = [&] {
    poll_all();
    const std::size_t received = a_->mailbox.messages.size();
    for (const auto& [from, bytes] : a_->mailbox.messages)
      EXPECT_EQ(read_stamped(bytes).sequence, next[from]++);
    a_->mailbox.messages.clear();
    return received;
  };
  // One after another: while others send without end, tcp may not let a further one in for half a minute.
  for (std::size_t i = 1; i <= peers; ++i) {
    RemotePeer& peer = play();
    a_->endpoint.add_peer(peer.address());
    peer.set_sends(true);
    while (next.size() < i && !HasFailure()) receive();
    peer.set_sends(false);
  }
  for (RemotePeer& peer : remote_peers_) peer.set_sends(true);
  for (std::uint64_t received = 0; received < 1000 && !HasFailure();) received += receive();
  Growth growth({"self"});
  std::uint64_t measured = 0;
  for (std::uint64_t received = 0; received < count && !HasFailure();) {
    received += receive();
    if (received < measured + 1000) continue;
    growth.measure();
    measured = received;
  }
  for (RemotePeer& peer : remote_peers_) peer.set_sends(false);
  RecordProperty("bytes_in_between", std::to_string(growth.largest()));
  EXPECT_LT(growth.largest(), most_bytes_in_between);
}

}  // namespace
}  // namespace wyvern::test
