#include <csignal>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "crash_case.hpp"
#include "support/sanitizers.hpp"

// Two victims, the second dying in what the first had left, buried in both orders.
namespace wyvern::test {
namespace {

struct Pair {
  Operation first;
  Operation second;
  RingState state;
};

class CrashPair : public ::testing::TestWithParam<Pair> {
 protected:
  /// The points of an operation in a ring where it can be done.
  std::vector<Visit> visits_of(Operation operation) {
    const bool large = GetParam().first == Operation::put_large;
    const RingState state = is_put(operation) ? RingState::empty : RingState::full;
    return CrashCase(node_, {.capacity = 1, .state = state, .large_messages = large}).discover(operation);
  }

  void kill_both(const CrashSetup& setup, const Visit& first, const Visit& second,
                 bool first_is_buried_first) {
    CrashCase crash(node_, setup);
    auto one = crash.start(GetParam().first, first, SIGKILL);
    ASSERT_EQ(one.child.wait(), -SIGKILL);
    auto other = crash.start(GetParam().second, second, SIGKILL);
    const int status = other.child.wait();
    ASSERT_TRUE(status == -SIGKILL || status == 0) << status;  // 0: the first had left it nothing to do

    const auto left = crash.contents();
    crash.bury(first_is_buried_first ? *one.member : *other.member, true);
    EXPECT_EQ(crash.bury(first_is_buried_first ? *other.member : *one.member, true), "");

    EXPECT_EQ(crash.drain(), left);
    EXPECT_TRUE(crash.work(4));
    EXPECT_EQ(crash.problems(), "");
    EXPECT_EQ(crash.audit_all(), "");
  }

  LocalNode node_;
};

TEST_P(CrashPair, two_victims_leave_everything_in_one_place) {
  const auto firsts = visits_of(GetParam().first);
  const auto seconds = visits_of(GetParam().second);
  constexpr std::size_t stride = is_sanitized ? 3 : 1;
  std::size_t cases = 0, number = 0;
  for (const std::uint64_t capacity : {1U, 2U}) {
    const CrashSetup setup{.capacity = capacity, .state = GetParam().state};
    for (const Visit& first : firsts) {
      for (const Visit& second : seconds) {
        for (const bool order : {true, false}) {
          if (number++ % stride != 0) continue;
          SCOPED_TRACE("capacity " + std::to_string(capacity) + ": " + first.first + ", then " +
                       second.first + (order ? "" : ", buried the other way round"));
          kill_both(setup, first, second, order);
          if (HasFailure()) return;
          ++cases;
        }
      }
    }
  }
  std::printf("%s, then %s: %zu pairs of deaths\n", to_string(GetParam().first).c_str(),
              to_string(GetParam().second).c_str(), cases);
}

INSTANTIATE_TEST_SUITE_P(operations, CrashPair,
                         ::testing::Values(Pair{Operation::put_small, Operation::get, RingState::empty},
                                           Pair{Operation::get, Operation::put_small, RingState::full},
                                           Pair{Operation::put_small, Operation::put_small, RingState::empty},
                                           Pair{Operation::get, Operation::get, RingState::full},
                                           Pair{Operation::put_large, Operation::get, RingState::empty}),
                         [](const auto& instance) {
                           return to_string(instance.param.first) + "_then_" +
                                  to_string(instance.param.second);
                         });

}  // namespace
}  // namespace wyvern::test
