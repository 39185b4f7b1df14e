#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include <wyvern/core/crash_point.hpp>
#include <wyvern/core/error.hpp>

#include "support/two_members.hpp"

// Who waits for the last lease of a closed queue to end is told, whatever it ends with.
namespace wyvern::test {
namespace {

/// What happens when the named point is passed next; once.
std::string awaited_point;
std::function<void()> at_point;

void visit(const char* point) {
  if (awaited_point == point) {
    awaited_point.clear();
    std::exchange(at_point, nullptr)();
  }
}

class LeaseWait : public TwoMembers {
 protected:
  ~LeaseWait() override { observe_crash_points(nullptr); }

  void when_passing(const char* point, std::function<void()> happens) {
    at_point = std::move(happens);
    awaited_point = point;
    observe_crash_points(visit);
  }

  /// Somebody who waits for a lease and finds the end.
  std::jthread start_waiting() {
    std::jthread waiting(
        [mine = open_as(other_, queue_)]() mutable { EXPECT_THROW(mine.lease(), QueueClosed); });
    wait_for_sleepers(queue_, InterestKind::lease);
    return waiting;
  }

  Queue<int> queue_ = make<int>();
};

TEST_F(LeaseWait, lease_that_is_only_intended_holds_up_nobody_at_the_end) {
  queue_.put(1);
  when_passing("take.intended", [&] {
    EXPECT_EQ(open_as(other_, queue_).get(), 1);
    queue_.close();
    EXPECT_THROW(open_as(other_, queue_).get(), QueueClosed) << "which places the end";
    EXPECT_THROW(open_as(other_, queue_).lease(), QueueClosed);
  });
  EXPECT_THROW(queue_.lease(), QueueClosed);
}

TEST_F(LeaseWait, lease_that_has_taken_its_message_counts_before_it_says_so) {
  queue_.put(1);
  queue_.close();
  std::jthread waiting;
  when_passing("take.swapped", [&] {
    EXPECT_THROW(open_as(other_, queue_).get(), QueueClosed) << "which places the end";
    waiting = start_waiting();
  });
  queue_.lease().done();
}

TEST_F(LeaseWait, get_of_what_was_given_back_wakes_who_waited_for_its_lease) {
  queue_.put(1);
  queue_.close();
  { const auto lease = queue_.lease(); }
  std::jthread waiting;
  when_passing("take_over.claimed", [&] { waiting = start_waiting(); });
  EXPECT_EQ(queue_.get(), 1);
}

TEST_F(LeaseWait, done_counts_from_its_first_step) {
  queue_.put(1);
  queue_.close();
  auto lease = queue_.lease();
  EXPECT_FALSE(queue_.try_lease()) << "which places the end";
  when_passing("lease.done_counted", [&] { EXPECT_THROW(open_as(other_, queue_).lease(), QueueClosed); });
  lease.done();
}

}  // namespace
}  // namespace wyvern::test
