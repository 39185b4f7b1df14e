#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/agent/launcher_link.hpp>
#include <wyvern/runtime/protocol/seqpacket.hpp>

namespace wyvern::agent {
namespace {

using Addresses = std::vector<std::vector<std::byte>>;

class LauncherLinkTest : public testing::Test {
 protected:
  LauncherLinkTest()
      : sockets_(control::make_socket_pair()),
        link_(loop_, sockets_.first.get(),
              {.signal_job = [this](const auto& request) { signal_ = request.signal; },
               .nodes_ready = [this](Addresses addresses) { addresses_ = std::move(addresses); },
               .head_returned = [this] { ++returned_; },
               .end_node = [this](bool kill) { kills_.push_back(kill); },
               .others_ended = [this] { ++others_ended_; },
               .lost = [this] { ++lost_; }}) {}

  template <class Message>
  void say(Message message) {
    ASSERT_EQ(control::send_message(sockets_.second.get(), message), control::Transfer::done);
    turn();
  }
  void say_address(std::uint32_t node, std::byte address) {
    auto message = control::make_message<control::NodeAddress>(0);
    message.node = node;
    message.address_bytes = 1;
    message.address[0] = address;
    say(message);
  }
  void say_ready(std::uint32_t count) {
    auto message = control::make_message<control::NodesReady>(0);
    message.count = count;
    say(message);
  }
  void turn() { loop_.run_once(EventLoop::Clock::now()); }
  /// What the launcher has received: false and true of Awaited messages.
  std::vector<bool> heard() {
    std::vector<bool> heard;
    control::Packet packet;
    while (control::receive_packet(sockets_.second.get(), packet) == control::Transfer::done) {
      heard.push_back(control::read_message<control::Awaited>(packet).any != 0);
    }
    return heard;
  }

  EventLoop loop_;
  std::pair<FileDescriptor, FileDescriptor> sockets_;
  LauncherLink link_;
  std::uint32_t signal_ = 0;
  Addresses addresses_;
  int returned_ = 0;
  std::vector<bool> kills_;
  int others_ended_ = 0;
  int lost_ = 0;
};

TEST_F(LauncherLinkTest, each_message_calls_its_hook) {
  auto signal = control::make_message<control::SignalJob>(0);
  signal.signal = 15;
  say(signal);
  say(control::make_message<control::HeadReturned>(0));
  say(control::make_message<control::EndNode>(0));
  auto kill = control::make_message<control::EndNode>(0);
  kill.kill = 1;
  say(kill);
  say(control::make_message<control::OthersEnded>(0));
  EXPECT_EQ(signal_, 15U);
  EXPECT_EQ(returned_, 1);
  EXPECT_EQ(kills_, (std::vector{false, true}));
  EXPECT_EQ(others_ended_, 1);
  EXPECT_EQ(lost_, 0);
}

TEST_F(LauncherLinkTest, addresses_are_handed_on_when_all_are_there) {
  say_address(1, std::byte{10});
  say_address(2, std::byte{20});
  EXPECT_TRUE(addresses_.empty());
  say_ready(2);
  EXPECT_EQ(addresses_, (Addresses{{std::byte{10}}, {std::byte{20}}}));
}

TEST_F(LauncherLinkTest, addresses_out_of_order_or_too_few_are_malformed) {
  EXPECT_THROW(say_address(2, std::byte{20}), control::Malformed);
  EXPECT_THROW(say_ready(1), control::Malformed);
}

TEST_F(LauncherLinkTest, address_that_is_too_long_is_refused) {
  EXPECT_THROW(link_.send_ready(std::vector<std::byte>(control::node_address_bytes + 1)), InvalidArgument);
  EXPECT_NO_THROW(link_.send_ready(std::vector<std::byte>(control::node_address_bytes)));
}

TEST_F(LauncherLinkTest, launcher_that_does_not_read_for_a_while_misses_nothing) {
  constexpr std::size_t many = 10'000;  // more than a socket holds
  std::vector<bool> sent;
  for (std::size_t i = 0; i < many; ++i) {
    sent.push_back(i % 3 == 0);
    link_.send_awaited(sent.back());
  }
  std::vector<bool> received;
  while (received.size() < many) {
    const std::vector<bool> part = heard();
    ASSERT_FALSE(part.empty());
    received.insert(received.end(), part.begin(), part.end());
    turn();
  }
  EXPECT_EQ(received, sent);
}

TEST_F(LauncherLinkTest, end_of_the_launcher_is_said_once_and_sending_to_it_is_of_no_effect) {
  sockets_.second.reset();
  turn();
  turn();
  EXPECT_EQ(lost_, 1);
  link_.send_job_over(0);
}

}  // namespace
}  // namespace wyvern::agent
