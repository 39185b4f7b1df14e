#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <thread>

#include <gtest/gtest.h>

#include <wyvern/channels/remote/parker_bell.hpp>
#include <wyvern/core/event_descriptor.hpp>
#include <wyvern/core/waiter_set.hpp>

#include "support/local_node.hpp"

namespace wyvern::test {
namespace {

class ParkerBellTest : public ::testing::Test {
 protected:
  /// Until it rings; the watchdog ends a bell that does not.
  void wait_for_ring() {
    pollfd waited{.fd = descriptor_.get(), .events = POLLIN, .revents = 0};
    while (::poll(&waited, 1, -1) != 1) {
    }
    std::uint64_t count = 0;
    ASSERT_EQ(::read(descriptor_.get(), &count, sizeof count), static_cast<ssize_t>(sizeof count));
  }
  bool has_rung() {
    pollfd waited{.fd = descriptor_.get(), .events = POLLIN, .revents = 0};
    return ::poll(&waited, 1, 0) == 1;
  }

  LocalNode node_;
  std::shared_ptr<Member> member_ = node_.join();
  EventDescriptor descriptor_;
  ParkerBell bell_{member_, descriptor_};
  ParkerCell& cell_ = member_->segment().parker(bell_.parker());
};

TEST_F(ParkerBellTest, woken_parker_rings) {
  bell_.prepare();
  EXPECT_TRUE(notify(cell_));
  wait_for_ring();
  EXPECT_TRUE(bell_.finish());
}

TEST_F(ParkerBellTest, parker_that_nobody_wakes_does_not_ring) {
  bell_.prepare();
  EXPECT_FALSE(bell_.finish());
  EXPECT_FALSE(notify(cell_)) << "it does not sleep any more";
  EXPECT_FALSE(has_rung());
}

TEST_F(ParkerBellTest, rings_each_time_that_it_is_woken) {
  for (int i = 0; i < 1000; ++i) {
    bell_.prepare();
    ASSERT_TRUE(notify(cell_));
    wait_for_ring();
    bell_.finish();
  }
}

TEST_F(ParkerBellTest, wake_is_never_lost_whenever_it_comes) {
  std::atomic<int> wanted = 0;
  std::atomic<bool> is_over = false;
  std::thread waker([&] {
    for (int done = 0; !is_over;) {
      if (wanted == done) continue;
      while (!notify(cell_) && !is_over) {
      }
      ++done;
    }
  });
  for (int i = 1; i <= 10'000; ++i) {
    wanted = i;
    bell_.prepare();
    bool was_woken = false;
    while (!was_woken) {
      wait_for_ring();  // perhaps for a wake that was seen before it rang
      was_woken = bell_.finish();
      if (!was_woken) bell_.prepare();
    }
  }
  is_over = true;
  waker.join();
}

TEST_F(ParkerBellTest, ends_while_it_is_expected_to_ring) {
  bell_.prepare();
  const ParkerBell other(member_, descriptor_);
}

}  // namespace
}  // namespace wyvern::test
