#include <poll.h>

#include "transport/endpoint_conformance.hpp"

namespace wyvern::test {
namespace {

class EndpointSleep : public EndpointConformance {
 protected:
  /// Whether b has something to sleep on.
  bool can_sleep() {
    if (b_->endpoint.descriptor() >= 0) return true;
    EXPECT_EQ(traits().sleep, ProviderSleep::none);
    EXPECT_FALSE(b_->endpoint.may_sleep());
    return false;
  }
  bool is_readable(int milliseconds) {
    pollfd wait{.fd = b_->endpoint.descriptor(), .events = POLLIN, .revents = 0};
    return ::poll(&wait, 1, milliseconds) == 1;
  }
  /// Until what is left of earlier traffic is dealt with, and there is nothing to wake for.
  void let_b_fall_asleep() {
    do {
      while (b_->poll() != 0 || !b_->endpoint.may_sleep()) a_->poll();
    } while (is_readable(20));
  }
  /// Both sleep whenever both may, without a limit: a wake-up that is lost hangs.
  template <class Condition>
  void sleep_until(Condition condition) {
    while (true) {
      poll_all();
      if (condition()) return;
      pollfd wait[] = {{.fd = a_->endpoint.descriptor(), .events = POLLIN, .revents = 0},
                       {.fd = b_->endpoint.descriptor(), .events = POLLIN, .revents = 0}};
      if (a_->endpoint.may_sleep() && b_->endpoint.may_sleep()) {
        ASSERT_GT(::poll(wait, 2, -1), 0);
      }
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Over, EndpointSleep, every_path(), path_name);

TEST_P(EndpointSleep, ends_with_a_message_and_with_nothing_else) {
  if (!can_sleep()) return;
  expect_talk(*a_, to_b_, *b_);
  for (std::size_t i = 2; i < 5; ++i) {
    let_b_fall_asleep();
    send(*a_, to_b_, pattern(4));
    sleep_until([&] { return b_->mailbox.messages.size() == i; });
  }
}

TEST_P(EndpointSleep, ends_with_a_beat) {
  if (!can_sleep()) return;
  expect_talk(*a_, to_b_, *b_);
  let_b_fall_asleep();
  const std::uint64_t heard = b_->endpoint.heard_from(to_a_);
  while (a_->endpoint.send_beat(to_b_) == SendOutcome::retry) a_->poll();
  sleep_until([&] { return b_->endpoint.heard_from(to_a_) != heard; });
}

TEST_P(EndpointSleep, ends_when_others_read_its_memory) {
  if (!can_sleep()) return;
  Bytes memory = pattern(1000);
  const auto registered = b_->endpoint.register_memory(memory);
  Bytes copy(1000);
  const auto destination = a_->endpoint.register_memory(copy);
  expect_talk(*a_, to_b_, *b_);
  let_b_fall_asleep();
  RemoteRead read(to_b_, registered->remote(), copy, destination.get());
  a_->endpoint.read(read);
  sleep_until([&] { return !read.is_running(); });
  EXPECT_EQ(copy, memory);
}

TEST_P(EndpointSleep, does_not_begin_before_the_ends_of_reads_are_told) {
  if (!can_sleep()) return;
  Bytes memory = pattern(1000);
  const auto registered = a_->endpoint.register_memory(memory);
  Bytes copy(1000);
  const auto destination = b_->endpoint.register_memory(copy);
  expect_talk(*a_, to_b_, *b_);
  let_b_fall_asleep();
  RemoteRead read(to_a_, registered->remote(), copy, destination.get());
  b_->endpoint.read(read);
  b_->endpoint.remove_peer(to_a_);
  EXPECT_FALSE(b_->endpoint.may_sleep());
  while (b_->mailbox.reads.empty()) b_->poll();
  poll_until([&] { return !read.is_running(); });
}

}  // namespace
}  // namespace wyvern::test
