#include <poll.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/transport/event_wait.hpp>

#include "fake_endpoint.hpp"
#include "transport/tested_providers.hpp"
#include "two_endpoints.hpp"

namespace wyvern::test {
namespace {

using std::chrono::milliseconds;

FileDescriptor event(unsigned count) { return FileDescriptor(::eventfd(count, EFD_CLOEXEC)); }
pollfd readable(const FileDescriptor& descriptor) {
  return {.fd = descriptor.get(), .events = POLLIN, .revents = 0};
}

class EventWaitTest : public ::testing::Test {
 protected:
  FakeEndpoint endpoint_;
  EventWait wait_{endpoint_};
};

TEST_F(EventWaitTest, endpoints_descriptor_ends_a_sleep_without_deadline) {
  const FileDescriptor something_came = event(1);
  endpoint_.wakes_by = something_came.get();
  EXPECT_EQ(wait_.wait({}, Deadline::never()), 0U);
  EXPECT_EQ(endpoint_.asked_to_sleep, 1);
}

TEST_F(EventWaitTest, others_end_a_sleep_and_are_told_apart) {
  const FileDescriptor nothing_came = event(0);
  const FileDescriptor quiet = event(0);
  const FileDescriptor ready = event(1);
  for (const int descriptor : {nothing_came.get(), -1}) {
    endpoint_.wakes_by = descriptor;
    std::array others{readable(quiet), readable(ready)};
    std::size_t found = 0;
    while (found == 0) found = wait_.wait(others, Deadline::never());
    EXPECT_EQ(found, 1U);
    EXPECT_EQ(others[0].revents, 0);
    EXPECT_EQ(others[1].revents, POLLIN);
  }
}

TEST_F(EventWaitTest, others_are_looked_at_though_the_endpoint_may_not_sleep) {
  const FileDescriptor nothing_came = event(0);
  const FileDescriptor ready = event(1);
  endpoint_.wakes_by = nothing_came.get();
  endpoint_.sleeping_is_allowed = false;
  std::array others{readable(ready)};
  EXPECT_EQ(wait_.wait(others, Deadline::never()), 1U);
  EXPECT_EQ(wait_.wait({}, Deadline::never()), 0U) << "returns at once: the endpoint is to be polled";
}

TEST_F(EventWaitTest, deadline_ends_a_sleep_and_sleepers_are_not_busy) {
  const FileDescriptor nothing_came = event(0);
  endpoint_.wakes_by = nothing_came.get();
  const Deadline deadline = Deadline::after(milliseconds(50));
  int wakeups = 0;
  for (; !deadline.passed(); ++wakeups) wait_.wait({}, deadline);
  EXPECT_LE(wakeups, 2);
  EXPECT_EQ(wait_.wait({}, Deadline::now()), 0U);
}

TEST_F(EventWaitTest, naps_end_with_the_deadline_and_are_few) {
  const Deadline deadline = Deadline::after(milliseconds(100));
  int naps = 0;
  for (; !deadline.passed(); ++naps) wait_.wait({}, deadline);
  // None is shorter than it should be: 8 of the shortest, 25 that grow, the others of full length.
  EXPECT_LE(naps, 8 + 25 + 125);
  EXPECT_GE(naps, 1);
}

TEST_F(EventWaitTest, traffic_makes_naps_short_again) {
  const auto naps_until = [&](milliseconds duration, bool has_traffic) {
    const Deadline deadline = Deadline::after(duration);
    int naps = 0;
    for (; !deadline.passed(); ++naps) {
      if (has_traffic) ++endpoint_.counted.received;
      wait_.wait({}, deadline);
    }
    return naps;
  };
  // What is compared is the same machine's at the same time, as often as it takes.
  int with = 0;
  int without = 0;
  do {
    with = naps_until(milliseconds(40), true);
    without = naps_until(milliseconds(40), false);
  } while (with <= without);
  SUCCEED();
}

TEST_F(EventWaitTest, handled_signal_ends_a_sleep_and_says_nothing_of_descriptors) {
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) {};
  ASSERT_EQ(::sigaction(SIGALRM, &action, &before), 0);
  const FileDescriptor nothing_came = event(0);
  endpoint_.wakes_by = nothing_came.get();
  const FileDescriptor quiet = event(0);
  std::array others{readable(quiet)};
  others[0].revents = POLLIN;
  // Until one falls into the sleep.
  itimerval often{.it_interval = {.tv_sec = 0, .tv_usec = 10'000},
                  .it_value = {.tv_sec = 0, .tv_usec = 10'000}};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &often, nullptr), 0);
  EXPECT_EQ(wait_.wait(others, Deadline::never()), 0U);
  often = {};
  ::setitimer(ITIMER_REAL, &often, nullptr);
  ::sigaction(SIGALRM, &before, nullptr);
  EXPECT_EQ(others[0].revents, 0);
}

TEST_F(EventWaitTest, descriptor_that_is_not_open_is_reported_by_its_entry) {
  std::array others{pollfd{.fd = 1'000'000, .events = POLLIN, .revents = 0}};
  EXPECT_EQ(wait_.wait(others, Deadline::never()), 1U);
  EXPECT_EQ(others[0].revents, POLLNVAL);
}

TEST(Nap, grows_with_idleness_within_bounds) {
  using std::chrono::microseconds;
  using std::chrono::seconds;
  EXPECT_EQ(Nap::after(seconds(0)), Nap::shortest);
  EXPECT_EQ(Nap::after(microseconds(400)), microseconds(50));
  EXPECT_EQ(Nap::after(microseconds(4000)), microseconds(500));
  EXPECT_EQ(Nap::after(milliseconds(999)), Nap::longest_in_use);
  EXPECT_EQ(Nap::after(seconds(1)), Nap::longest);
  EXPECT_EQ(Nap::after(seconds(100'000)), Nap::longest);
}

class EventWaitOverTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!is_offered(GetParam())) GTEST_SKIP() << "not offered by this libfabric";
  }
};

TEST_P(EventWaitOverTest, sleeper_without_deadline_is_woken_by_each_message) {
  constexpr int count = 20;
  TwoEndpoints two(GetParam());
  std::atomic<int> awaited = 0;  // the message that b is about to sleep for
  const std::jthread sender([&] {
    for (int i = 1; i <= count; ++i) {
      while (awaited < i) std::this_thread::yield();
      std::this_thread::sleep_for(milliseconds(1));  // most likely it sleeps by now: nothing depends on it
      const std::byte bytes[8]{};
      while (two.a.endpoint.send(two.to_b, bytes) == SendOutcome::retry) two.a.poll();
      while (awaited == i) two.a.poll();
    }
  });
  EventWait wait(two.b.endpoint);
  for (int i = 1; i <= count; ++i) {
    awaited = i;
    while (two.b.messages < i) {
      if (two.b.poll() == 0) wait.wait({}, Deadline::never());
    }
  }
  awaited = count + 1;
}

TEST_P(EventWaitOverTest, other_descriptor_wakes_who_waits_for_messages) {
  TwoEndpoints two(GetParam());
  EventWait wait(two.b.endpoint);
  const FileDescriptor doorbell = event(0);
  const std::jthread other([&] {
    const std::uint64_t one = 1;
    EXPECT_EQ(::write(doorbell.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  });
  std::array others{readable(doorbell)};
  while (wait.wait(others, Deadline::never()) == 0) two.b.poll();
  EXPECT_EQ(others[0].revents, POLLIN);
}

TEST_P(EventWaitOverTest, idle_endpoint_that_had_traffic_sleeps) {
  TwoEndpoints two(GetParam());
  if (two.b.endpoint.descriptor() < 0) GTEST_SKIP() << "naps";
  for (int i = 1; i <= 20; ++i) {
    two.send();
    while (two.b.messages < i) two.poll();
  }
  EventWait wait(two.b.endpoint);
  // What is left of that traffic is dealt with; then there are no wake-ups but those of the longest sleep.
  constexpr milliseconds span(100);
  const std::int64_t most = span / two.b.endpoint.longest_sleep();
  for (std::int64_t wakeups = most + 1; wakeups > most;) {
    const Deadline deadline = Deadline::after(span);
    wakeups = 0;
    while (two.b.poll() != 0) two.a.poll();
    for (wait.wait({}, deadline); !deadline.passed(); wait.wait({}, deadline)) {
      two.poll();
      ++wakeups;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Provider, EventWaitOverTest, ::testing::ValuesIn(tested_providers()),
                         [](const auto& provider) { return std::string(provider.param); });

}  // namespace
}  // namespace wyvern::test
