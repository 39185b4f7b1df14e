#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/fabric_endpoint.hpp>
#include <wyvern/transport/fabric_error.hpp>
#include <wyvern/transport/provider_choice.hpp>

#include "transport/tested_providers.hpp"

namespace wyvern::test {
namespace {

using Bytes = std::vector<std::byte>;

Bytes message_of(std::size_t size, unsigned seed = 1) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + seed);
  return bytes;
}

std::vector<std::string> shared_files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm"))
    names.push_back(entry.path().filename().string());
  return names;
}

/// Keeps what it is told.
class Mailbox : public EndpointHandler {
 public:
  void message(PeerNumber from, std::span<const std::byte> bytes) override {
    messages.emplace_back(from, Bytes(bytes.begin(), bytes.end()));
  }
  void send_failed(PeerNumber to, int) override { failures.push_back(to); }
  void read_ended(RemoteRead& read, ReadResult result, int) override { reads.emplace_back(&read, result); }

  std::vector<std::pair<PeerNumber, Bytes>> messages;
  std::vector<PeerNumber> failures;
  std::vector<std::pair<RemoteRead*, ReadResult>> reads;
};

struct Side {
  explicit Side(const std::string& provider) : endpoint({.provider = provider, .node = node_for(provider)}) {}
  void poll() { endpoint.poll(mailbox); }

  FabricEndpoint endpoint;
  Mailbox mailbox;
};

/// Two endpoints of one provider in this process.
class FabricEndpointTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const FabricLibrary& library = FabricLibrary::get();
    const auto offers = list_offers(library);
    try {
      choose_provider(offers, library.version(), GetParam());
    } catch (const NotFound&) {
      GTEST_SKIP() << "not offered by this libfabric";
    }
    a_ = std::make_unique<Side>(GetParam());
    b_ = std::make_unique<Side>(GetParam());
    to_b_ = a_->endpoint.add_peer(b_->endpoint.address());
    to_a_ = b_->endpoint.add_peer(a_->endpoint.address());
  }
  void poll_both() {
    a_->poll();
    b_->poll();
  }
  template <class Condition>
  void poll_until(Condition condition) {
    while (!condition()) poll_both();  // the watchdog ends what never becomes true
  }
  void send(Side& from, PeerNumber to, const Bytes& message) {
    SendOutcome outcome = from.endpoint.send(to, message);
    while (outcome == SendOutcome::retry) {
      poll_both();
      outcome = from.endpoint.send(to, message);
    }
    ASSERT_EQ(outcome, SendOutcome::done);
  }

  std::unique_ptr<Side> a_;
  std::unique_ptr<Side> b_;
  PeerNumber to_a_ = 0;
  PeerNumber to_b_ = 0;
};

TEST_P(FabricEndpointTest, messages_of_every_size_arrive_in_order_and_unchanged) {
  const std::size_t largest = a_->endpoint.largest_message();
  std::vector<Bytes> sent;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{47}, std::size_t{48}, std::size_t{49},
        std::size_t{112}, std::size_t{113}, std::size_t{1000}, largest - 1, largest}) {
    sent.push_back(message_of(size, static_cast<unsigned>(size)));
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

TEST_P(FabricEndpointTest, more_than_the_receive_buffers_hold_arrives_in_order_in_both_directions) {
  // 4 MiB each way through buffers of 2 MiB.
  const int count = 4096;
  for (int i = 0; i < count; ++i) {
    send(*a_, to_b_, message_of(1000, static_cast<unsigned>(i)));
    send(*b_, to_a_, message_of(999, static_cast<unsigned>(i)));
    poll_both();
  }
  poll_until([&] { return a_->mailbox.messages.size() == count && b_->mailbox.messages.size() == count; });
  for (int i = 0; i < count; ++i) {
    const auto place = static_cast<std::size_t>(i);
    ASSERT_EQ(b_->mailbox.messages[place].second, message_of(1000, static_cast<unsigned>(i)));
    ASSERT_EQ(a_->mailbox.messages[place].second, message_of(999, static_cast<unsigned>(i)));
  }
}

TEST_P(FabricEndpointTest, sends_to_a_peer_that_does_not_poll_are_bounded_and_nothing_is_lost) {
  const Bytes message = message_of(2000);
  int accepted = 0;
  // Until the sender has had no success for a while: how many fit in between is the provider's.
  for (int in_vain = 0; in_vain < 100'000 && accepted < 20'000;) {
    const SendOutcome outcome = a_->endpoint.send(to_b_, message);
    ASSERT_NE(outcome, SendOutcome::failed);
    if (outcome == SendOutcome::done) {
      ++accepted;
      in_vain = 0;
    } else {
      ++in_vain;
      a_->poll();
    }
    if (accepted == 0) b_->poll();  // the connection takes both
  }
  const EndpointCounters& counters = a_->endpoint.counters();
  EXPECT_GT(counters.too_many_sends + counters.provider_was_busy, 0U);
  poll_until([&] { return b_->mailbox.messages.size() == static_cast<std::size_t>(accepted); });
  for (const auto& [from, bytes] : b_->mailbox.messages) ASSERT_EQ(bytes, message);
}

TEST_P(FabricEndpointTest, memory_of_a_peer_is_read_in_pieces) {
  Bytes memory = message_of((std::size_t{5} << 20) + 123);
  const auto registered = b_->endpoint.register_memory(memory);
  Bytes copy(memory.size());
  const auto destination = a_->endpoint.register_memory(copy);
  RemoteRead whole(to_b_, registered->remote(), copy, destination.get());
  a_->endpoint.read(whole);
  EXPECT_TRUE(whole.is_running());
  EXPECT_THROW(a_->endpoint.read(whole), InvalidArgument);
  poll_until([&] { return a_->mailbox.reads.size() == 1; });
  EXPECT_EQ(a_->mailbox.reads[0].second, ReadResult::done);
  EXPECT_EQ(copy, memory);
  EXPECT_EQ(a_->endpoint.counters().bytes_read, memory.size());
}

TEST_P(FabricEndpointTest, beat_is_heard_and_not_told) {
  while (a_->endpoint.send_beat(to_b_) == SendOutcome::retry) poll_both();
  poll_until([&] { return b_->endpoint.heard_from(to_a_) == 1; });
  EXPECT_TRUE(b_->mailbox.messages.empty());
}

TEST_P(FabricEndpointTest, stranger_is_counted_and_dropped) {
  Side stranger(GetParam());
  const PeerNumber to_b = stranger.endpoint.add_peer(b_->endpoint.address());
  SendOutcome outcome = SendOutcome::retry;
  while (outcome == SendOutcome::retry) {
    stranger.poll();
    poll_both();
    outcome = stranger.endpoint.send(to_b, message_of(20));
  }
  ASSERT_EQ(outcome, SendOutcome::done);
  poll_until([&] {
    stranger.poll();
    return b_->endpoint.counters().from_strangers == 1;
  });
  send(*a_, to_b_, message_of(3));
  poll_until([&] { return b_->mailbox.messages.size() == 1; });
  EXPECT_EQ(b_->mailbox.messages[0].second, message_of(3));
}

TEST_P(FabricEndpointTest, removed_peer_is_no_peer_any_more) {
  send(*a_, to_b_, message_of(3));
  poll_until([&] { return b_->mailbox.messages.size() == 1; });
  b_->endpoint.remove_peer(to_a_);
  EXPECT_THROW(b_->endpoint.send(to_a_, message_of(3)), InvalidArgument);
  EXPECT_THROW(b_->endpoint.remove_peer(to_a_), InvalidArgument);
  send(*a_, to_b_, message_of(4));
  poll_until([&] { return b_->endpoint.counters().from_strangers == 1; });
  EXPECT_EQ(b_->mailbox.messages.size(), 1U);
  const PeerNumber again = b_->endpoint.add_peer(a_->endpoint.address());
  EXPECT_NE(again, to_a_) << "numbers are not used twice";
}

TEST_P(FabricEndpointTest, message_that_is_too_large_and_peer_that_is_unknown_are_refused) {
  const std::size_t largest = a_->endpoint.largest_message();
  EXPECT_THROW(a_->endpoint.send(to_b_, message_of(largest + 1)), TooLarge);
  EXPECT_THROW(a_->endpoint.send(to_b_ + 1, message_of(1)), InvalidArgument);
  EXPECT_THROW(a_->endpoint.add_peer(b_->endpoint.address()), InvalidArgument);
  EXPECT_THROW(a_->endpoint.add_peer(message_of(10)), DecodeError);
  PeerAddress torn = decode_peer_address(b_->endpoint.address());
  torn.epoch += 1;
  torn.name.pop_back();
  EXPECT_THROW(a_->endpoint.add_peer(encode_peer_address(torn)), DecodeError);
  torn.name.clear();
  EXPECT_THROW(a_->endpoint.add_peer(encode_peer_address(torn)), DecodeError);
}

TEST_P(FabricEndpointTest, sleeper_is_woken_by_a_message_and_by_nothing_else) {
  if (b_->endpoint.descriptor() < 0) {
    EXPECT_EQ(b_->endpoint.traits().sleep, ProviderSleep::none);
    EXPECT_FALSE(b_->endpoint.may_sleep());
    return;
  }
  send(*a_, to_b_, message_of(3));
  poll_until([&] { return b_->mailbox.messages.size() == 1; });
  // What is left of the first message's traffic is dealt with; then there is nothing to wake for.
  pollfd wait{.fd = b_->endpoint.descriptor(), .events = POLLIN, .revents = 0};
  do {
    while (b_->endpoint.poll(b_->mailbox) != 0 || !b_->endpoint.may_sleep()) a_->poll();
  } while (::poll(&wait, 1, 20) != 0);
  send(*a_, to_b_, message_of(4));
  while (b_->mailbox.messages.size() == 1) {
    a_->poll();
    if (b_->endpoint.may_sleep()) {
      ASSERT_EQ(::poll(&wait, 1, -1), 1);
    }
    b_->poll();
  }
}

/// A peer that is killed and one that takes its place.
TEST_P(FabricEndpointTest, other_peers_are_reached_after_one_was_killed) {
  int address_pipe[2];
  ASSERT_EQ(::pipe(address_pipe), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    // A process of its own: what the parent has opened is not touched.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    Side victim(GetParam());
    const auto& address = victim.endpoint.address();
    const ssize_t written = ::write(address_pipe[1], address.data(), address.size());
    if (written != static_cast<ssize_t>(address.size())) ::_exit(1);
    while (true) victim.poll();
  }
  ::close(address_pipe[1]);
  Bytes address(max_peer_address_bytes);
  const ssize_t read = ::read(address_pipe[0], address.data(), address.size());
  ::close(address_pipe[0]);
  ASSERT_GT(read, 0);
  address.resize(static_cast<std::size_t>(read));
  const PeerNumber victim = a_->endpoint.add_peer(address);
  SendOutcome outcome = SendOutcome::retry;
  while (outcome == SendOutcome::retry) {
    a_->poll();
    outcome = a_->endpoint.send(victim, message_of(100));
  }
  EXPECT_EQ(outcome, SendOutcome::done);
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  for (int i = 0; i < 50 && a_->endpoint.traits().sends_to_the_dead_return; ++i) {
    a_->endpoint.send(victim, message_of(100));
    a_->poll();
  }
  a_->endpoint.remove_peer(victim);
  for (const auto& entry : shared_files())
    EXPECT_FALSE(entry.starts_with(std::to_string(child) + ":")) << entry;
  send(*a_, to_b_, message_of(5));
  poll_until([&] { return b_->mailbox.messages.size() == 1; });
  EXPECT_EQ(b_->mailbox.messages[0].second, message_of(5));
}

INSTANTIATE_TEST_SUITE_P(Over, FabricEndpointTest, ::testing::ValuesIn(tested_providers()),
                         [](const auto& provider) { return std::string(provider.param); });

TEST(FabricEndpoint, address_that_is_not_ours_is_an_error_that_names_it) {
  try {
    const FabricEndpoint endpoint({.provider = "tcp", .node = "192.0.2.1"});
    FAIL() << "that address is for documentation only";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("192.0.2.1"), std::string::npos) << error.what();
  }
}

/// How many descriptors a program has that is started now.
int inherited_descriptors() {
  const std::unique_ptr<FILE, int (*)(FILE*)> list(::popen("ls /proc/self/fd | wc -l", "r"), &::pclose);
  int count = -1;
  if (list == nullptr || std::fscanf(list.get(), "%d", &count) != 1) return -1;
  return count;
}

TEST(FabricEndpoint, descriptors_of_an_endpoint_are_closed_on_exec) {
  const int before = inherited_descriptors();
  ASSERT_GT(before, 0);
  const FabricEndpoint endpoint({.provider = "tcp"});
  EXPECT_EQ(inherited_descriptors(), before);
}

}  // namespace
}  // namespace wyvern::test
