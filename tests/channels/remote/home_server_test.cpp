#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/channels/channel.hpp>
#include <wyvern/channels/remote/home_server.hpp>
#include <wyvern/channels/remote/remote_access.hpp>
#include <wyvern/channels/remote/remote_channel.hpp>
#include <wyvern/core/futex.hpp>
#include <wyvern/transport/fabric_endpoint.hpp>

#include "support/local_node.hpp"

// A home that sleeps when there is nothing to do, and wakes for whatever there is.
namespace wyvern::test {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

class HomeServerTest : public ::testing::Test {
 protected:
  static std::unique_ptr<Endpoint> make_endpoint() {
    return std::make_unique<FabricEndpoint>(EndpointOptions{.provider = "tcp"});
  }
  Channel make_channel(const QueueOptions& options = {}) {
    return Channel::create(local_, options, raw_bytes_type_hash, raw_bytes_type_name);
  }
  /// The home sleeps, as far as can be seen: its parker says so, and there is one only while a guest waits
  /// for something that happens on the node.
  void wait_until_home_sleeps() {
    const auto sleeps = [this] {
      for (std::uint32_t i = 0; i < max_parkers; ++i) {
        const ParkerCell& cell = home_node_.segment().parker(i);
        if (cell.interest == make_interest(InterestKind::several, 0) && cell.state == parker_asleep)
          return true;
      }
      return false;
    };
    while (!sleeps()) std::this_thread::yield();
  }

  JobKey key_ = JobKey::make();
  LocalNode home_node_;
  LocalNode guest_node_;
  std::shared_ptr<Member> local_ = home_node_.join();
  std::shared_ptr<Member> guest_ = guest_node_.join();
  HomeServer server_{
      home_node_.join(),
      make_endpoint(),
      key_,
      {.watch = {.suspect_after = std::chrono::hours(1), .lost_after = std::chrono::hours(2)}}};
  RemoteAccess access_{guest_, make_endpoint(), key_, [this](std::uint32_t) { return server_.address(); }};
};

TEST_F(HomeServerTest, sleeping_home_serves_a_guest_whose_message_is_put_on_the_node) {
  const Channel channel = make_channel();
  const auto remote = RemoteChannel::open(access_, channel.reference());
  for (int i = 0; i < 20; ++i) {
    std::thread putter([&] {
      wait_until_home_sleeps();
      channel.put(bytes_of("woken"));
    });
    const auto message = remote->take(IntentKind::get, WaitLimit::never());
    EXPECT_EQ(message->bytes().size(), 5U);
    putter.join();
  }
}

TEST_F(HomeServerTest, sleeping_home_puts_what_it_holds_when_there_is_room) {
  const Channel channel = make_channel({.capacity = 1});
  const auto remote = RemoteChannel::open(access_, channel.reference());
  channel.put(bytes_of("first"));
  std::thread putter([&] {
    const std::stop_token never;
    EXPECT_TRUE(remote->put(bytes_of("second"), {}, WaitLimit(never)));
  });
  wait_until_home_sleeps();
  EXPECT_EQ(channel.get().size(), 5U);
  EXPECT_EQ(channel.get().size(), 6U);
  putter.join();
}

TEST_F(HomeServerTest, sleeping_home_tells_who_joins_that_all_is_done) {
  const Channel channel = make_channel();
  const auto remote = RemoteChannel::open(access_, channel.reference());
  channel.put(bytes_of("task"));
  channel.get();
  std::optional<std::uint64_t> lost;
  std::thread joiner([&] { lost = remote->join(WaitLimit::never()); });
  wait_until_home_sleeps();
  channel.task_done();
  joiner.join();
  EXPECT_EQ(lost, 0U);
}

TEST_F(HomeServerTest, close_on_the_node_ends_guests_that_wait) {
  const Channel channel = make_channel();
  const auto remote = RemoteChannel::open(access_, channel.reference());
  std::thread getter([&] { EXPECT_THROW(remote->take(IntentKind::get, WaitLimit::never()), QueueClosed); });
  wait_until_home_sleeps();
  channel.close();
  getter.join();
}

TEST_F(HomeServerTest, local_and_remote_getters_share_what_comes) {
  constexpr int messages = 2000;
  const Channel channel = make_channel();
  const auto remote = RemoteChannel::open(access_, channel.reference());
  std::atomic<int> got = 0;
  const auto until_closed = [&](auto take) {
    return std::thread([&got, take] {
      try {
        for (;; ++got) take();
      } catch (const QueueClosed&) {
        return;
      }
    });
  };
  std::vector<std::thread> getters;
  for (int i = 0; i < 2; ++i) {
    getters.push_back(until_closed([&] { channel.get(); }));
    getters.push_back(until_closed([&] { remote->take(IntentKind::get, WaitLimit::never()); }));
  }
  for (int i = 0; i < messages; ++i) channel.put(bytes_of("message"));
  channel.close();
  for (std::thread& getter : getters) getter.join();
  EXPECT_EQ(got, messages);
}

TEST_F(HomeServerTest, sleeping_home_gives_up_a_guest_that_has_ended) {
  const Channel channel = make_channel();
  const auto remote = RemoteChannel::open(access_, channel.reference());
  channel.put(bytes_of("leased"));
  const auto held = remote->take(IntentKind::lease, WaitLimit::never());
  server_.post([process = guest_->puid()](Home& home) { home.process_ended(process); });
  EXPECT_EQ(channel.lease().delivery_count(), 1U);
}

TEST_F(HomeServerTest, what_is_posted_is_done_by_the_thread_that_serves) {
  std::atomic<std::uint32_t> done = 0;
  server_.post([&](Home& home) {
    EXPECT_EQ(home.guests(), 0U);
    done = 1;
    futex_wake(done, 1);
  });
  futex_wait(done, 0, Deadline::never());
  while (done == 0) std::this_thread::yield();
}

}  // namespace
}  // namespace wyvern::test
