#include "crash_crowd.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "crash_case.hpp"
#include "support/sanitizers.hpp"

// A victim is killed, or stopped, at every crash point of every operation while one to three others are at
// work on the same channel.
namespace wyvern::test {
namespace {

constexpr std::array<std::uint64_t, 3> capacities{1, 2, 4};

struct Outcomes {
  int reached = 0;
  int not_reached = 0;
};

class CrashCrowd : public ::testing::TestWithParam<Operation> {
 protected:
  /// The points that the operation passes on a channel in one state or another.
  std::vector<Visit> visits() {
    std::vector<Visit> found;
    for (const RingState state :
         {RingState::half, RingState::given_back, RingState::empty, RingState::full}) {
      if (waits(GetParam()) && (state == RingState::full) != is_put(GetParam())) continue;
      if (waits(GetParam()) && state != RingState::full && state != RingState::empty) continue;
      for (const bool large : {false, true}) {
        const CrashSetup setup{.capacity = 2, .state = state, .large_messages = large};
        for (const Visit& visit : CrashCase(node_, setup).discover(GetParam())) {
          if (std::find(found.begin(), found.end(), visit) == found.end()) found.push_back(visit);
        }
      }
    }
    return found;
  }

  /// Kills or stops a victim in a crowd, and returns when the crowd has gone on and everybody has ended.
  void meet(const Visit& visit, int signal, std::uint64_t capacity, std::size_t others, bool leases,
            Outcomes& outcomes) {
    CrashCase crash(node_, {.capacity = capacity, .state = RingState::half});
    crash.provide_for(static_cast<std::uint32_t>(others) + 2);
    if (is_lease(GetParam())) crash.expect_leases();
    Crowd crowd(node_, crash, others, leases);
    auto victim = crowd.start_victim(GetParam(), visit, signal);
    const bool died = victim.child.poll() == -SIGKILL;
    ++(died || victim.child.stopped() ? outcomes.reached : outcomes.not_reached);

    crowd.expect_progress();
    victim.child.send(SIGCONT);
    if (!died) {
      EXPECT_EQ(victim.child.wait(), 0);
    } else {
      crash.mark_killed(*victim.member);
    }
    node_.bury(*victim.member);
    crowd.expect_progress();
    const auto taken = crowd.end();

    ASSERT_TRUE(taken);
    EXPECT_EQ(crash.audit_all(), "");
    crash.drain();
    EXPECT_TRUE(crash.work(4));
    // What the crowd has taken it has reported; of what the victim has taken, nobody knows how much it had.
    const std::uint64_t reported = *taken + (reports(GetParam()) ? crash.got_by(*victim.member) : 0);
    const bool takes = most_takes(GetParam()) != 0;
    EXPECT_EQ(crash.account(reported, takes ? reported + crash.got_by(*victim.member) + 1 : reported), "");
    EXPECT_EQ(crash.problems(), "");
    EXPECT_EQ(crash.audit_all(), "");
  }

  void meet_everywhere(const char* title, int signal) {
    std::map<std::string, Outcomes> table;
    std::size_t number = 0;
    for (const Visit& visit : visits()) {
      if (visit.first == "hold.set") continue;  // the channel is open already
      for (std::size_t others = 1; others <= Crowd::most_members; ++others, ++number) {
        if (is_sanitized && number / Crowd::most_members % Crowd::most_members != others - 1) continue;
        const Visit later{visit.first, visit.second + static_cast<std::uint32_t>(number % 5)};
        const std::uint64_t capacity =
            capacities.at((number / Crowd::most_members + others) % capacities.size());
        SCOPED_TRACE(std::string(title) + " passage " + std::to_string(later.second) + " of " + later.first +
                     ", capacity " + std::to_string(capacity) + ", " + std::to_string(others) + " others");
        const bool leases = number % 2 != 0 || visit.first.starts_with("take_over");
        meet(later, signal, capacity, others, leases, table[visit.first]);
        if (HasFailure()) return;
      }
    }
    std::printf("%-40s %8s %12s\n", (title + (" in a crowd: " + to_string(GetParam()))).c_str(), "reached",
                "not reached");
    for (const auto& [point, outcomes] : table)
      std::printf("  %-38s %8d %12d\n", point.c_str(), outcomes.reached, outcomes.not_reached);
  }

  LocalNode node_;
};

TEST_P(CrashCrowd, killed_victim_loses_at_most_what_it_had_in_its_hands) {
  meet_everywhere("killed", SIGKILL);
}

TEST_P(CrashCrowd, stopped_victim_holds_up_nobody_and_finishes_rightly) {
  meet_everywhere("stopped", SIGSTOP);
}

INSTANTIATE_TEST_SUITE_P(operations, CrashCrowd,
                         ::testing::Values(Operation::put_small, Operation::put_large, Operation::put_many,
                                           Operation::put_loan, Operation::loan_dropped, Operation::get,
                                           Operation::get_many, Operation::get_and_report, Operation::take,
                                           Operation::lease_done, Operation::lease_dropped, Operation::close,
                                           Operation::put_waiting, Operation::get_waiting,
                                           Operation::select_waiting, Operation::lease_waiting),
                         [](const auto& instance) { return to_string(instance.param); });

}  // namespace
}  // namespace wyvern::test
