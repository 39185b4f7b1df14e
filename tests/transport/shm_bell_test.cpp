#include <poll.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <wyvern/transport/shm_bell.hpp>

namespace wyvern::test {
namespace {

bool is_ringing(const ShmBell& bell) {
  pollfd wait{.fd = bell.descriptor(), .events = POLLIN, .revents = 0};
  return ::poll(&wait, 1, 0) == 1;
}

TEST(ShmBell, rings_once_for_who_sleeps_and_never_for_who_is_awake) {
  ShmBell sleeper;
  const ShmBell other;
  ShmBellRope rope(::getpid(), sleeper.memory_descriptor());
  rope.ring_if_armed(other);
  EXPECT_FALSE(is_ringing(sleeper)) << "awake";
  EXPECT_FALSE(sleeper.is_armed_or_arm()) << "there has to be a look after it was armed";
  EXPECT_TRUE(sleeper.is_armed_or_arm());
  EXPECT_FALSE(is_ringing(sleeper));
  rope.ring_if_armed(other);
  EXPECT_TRUE(is_ringing(sleeper));
  EXPECT_FALSE(sleeper.is_armed_or_arm()) << "rung: look first";
  EXPECT_FALSE(is_ringing(sleeper)) << "one ring, one wake-up";
  sleeper.disarm();
  rope.ring_if_armed(other);
  EXPECT_FALSE(is_ringing(sleeper));
}

TEST(ShmBell, rope_to_what_is_no_bell_does_nothing) {
  const ShmBell own;
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  ShmBellRope to_pipe(::getpid(), pipe[0]);
  to_pipe.ring_if_armed(own);
  ShmBellRope to_nothing(::getpid(), 1'000'000);
  to_nothing.ring_if_armed(own);
  ShmBellRope to_nobody(0, own.memory_descriptor());
  to_nobody.ring_if_armed(own);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST(ShmBell, bell_that_has_gone_is_rung_in_vain) {
  const ShmBell own;
  auto gone = std::make_unique<ShmBell>();
  ShmBellRope rope(::getpid(), gone->memory_descriptor());
  EXPECT_FALSE(gone->is_armed_or_arm());
  gone.reset();
  rope.ring_if_armed(own);
}

}  // namespace
}  // namespace wyvern::test
