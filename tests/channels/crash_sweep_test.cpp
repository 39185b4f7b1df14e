#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "crash_case.hpp"

// A victim is killed, or stopped, at every passage of every crash point of every operation, in every state of
// the ring.
namespace wyvern::test {
namespace {

constexpr std::array all_states{RingState::empty,       RingState::one,     RingState::half,
                                RingState::full,        RingState::wrapped, RingState::closed,
                                RingState::closed_empty};

std::vector<CrashSetup> setups_for(Operation operation) {
  std::vector<CrashSetup> setups;
  for (const std::uint64_t capacity : {1U, 2U, 4U}) {
    for (const RingState state : all_states) {
      if (operation == Operation::put_waiting && state != RingState::full) continue;
      if (operation == Operation::get_waiting && state != RingState::empty) continue;
      setups.push_back({.capacity = capacity, .state = state});
      if (operation == Operation::get)
        setups.push_back({.capacity = capacity, .state = state, .large_messages = true});
    }
  }
  return setups;
}

std::string describe(Operation operation, const CrashSetup& setup, const Visit& visit) {
  return to_string(operation) + " with capacity " + std::to_string(setup.capacity) + ", " +
         to_string(setup.state) + (setup.large_messages ? " of large messages" : "") + ", at passage " +
         std::to_string(visit.second) + " of " + visit.first;
}

/// What came of the victims of one point.
struct Outcomes {
  int cases = 0;
  int not_reached = 0;
  int took_effect = 0;
};

class Table {
 public:
  Outcomes& operator[](const std::string& point) { return rows_[point]; }
  std::set<std::string> points() const {
    std::set<std::string> names;
    for (const auto& row : rows_) names.insert(row.first);
    return names;
  }
  void print(const std::string& title) const {
    std::printf("%-36s %8s %12s %12s\n", title.c_str(), "cases", "took effect", "not reached");
    for (const auto& [point, outcomes] : rows_) {
      std::printf("  %-34s %8d %12d %12d\n", point.c_str(), outcomes.cases, outcomes.took_effect,
                  outcomes.not_reached);
    }
  }

 private:
  std::map<std::string, Outcomes> rows_;
};

class CrashSweep : public ::testing::TestWithParam<Operation> {
 protected:
  /// Calls `run(setup, visit, outcomes)` for each setup and each visit that the operation makes in it.
  template <class Run>
  void for_each_visit(const std::string& title, Run run) {
    Table table;
    for (const CrashSetup& setup : setups_for(GetParam())) {
      const auto visits = CrashCase(node_, setup).discover(GetParam());
      ASSERT_FALSE(visits.empty());
      for (const Visit& visit : visits) {
        SCOPED_TRACE(describe(GetParam(), setup, visit));
        ++table[visit.first].cases;
        run(setup, visit, table[visit.first]);
        if (HasFailure()) return;
      }
    }
    table.print(title + " " + to_string(GetParam()));
    expect_minimum(table.points());
  }

  void expect_minimum(const std::set<std::string>& points) const {
    std::set<std::string> expected{"hold.set"};
    const std::string side = is_put(GetParam()) ? "put" : "take";
    if (GetParam() == Operation::close) {
      expected.insert("close.flagged");
    } else {
      expected.insert("port.claimed");
      for (const char* step : {".begin", ".intended", ".swapped", ".tagged", ".spared", ".woken"})
        expected.insert(side + step);
    }
    if (GetParam() == Operation::put_large || GetParam() == Operation::put_large_again)
      expected.insert({"extent.named", "extent.claimed", "payload.claimed"});
    if (GetParam() == Operation::put_large) expected.insert("extent.unhinted");
    EXPECT_FALSE(GetParam() == Operation::put_large_again && points.contains("extent.unhinted"));
    if (GetParam() == Operation::get)
      expected.insert({"extent.freed", "payload.freed", "payload.unnamed", "take.ending"});
    if (waits(GetParam())) expected.insert("park.asleep");
    EXPECT_TRUE(std::includes(points.begin(), points.end(), expected.begin(), expected.end()))
        << "a point that this operation must pass was not seen";
  }

  /// How many messages the victim found; `helped`: one was put for it.
  std::size_t before(const std::vector<MessageId>& initial, bool helped) const {
    return initial.size() + (GetParam() == Operation::get_waiting && helped ? 1 : 0);
  }

  void kill_and_check(const CrashSetup& setup, const Visit& visit, bool others_work_first,
                      Outcomes& outcomes) {
    CrashCase crash(node_, setup);
    const auto initial = crash.contents();
    auto victim = crash.start(GetParam(), visit, SIGKILL);
    const bool helped = crash.help_when_asleep(GetParam(), victim);
    if (victim.child.wait() != -SIGKILL) {
      EXPECT_TRUE(waits(GetParam())) << "the point was not reached, status " << victim.child.wait();
      ++outcomes.not_reached;
    }
    const auto left = crash.contents();  // what the slots say is what has happened
    EXPECT_TRUE(waits(GetParam()) || is_possible(GetParam(), initial, left, victim.member->puid()));
    outcomes.took_effect += took_effect(GetParam(), before(initial, helped), left, victim.member->puid());

    EXPECT_TRUE(!others_work_first || crash.work(4)) << "the dead held up the living";
    EXPECT_EQ(crash.bury(*victim.member, true), "");

    const auto drained = crash.drain();
    EXPECT_TRUE(others_work_first || drained == left) << "the burial changed what is in the queue";
    EXPECT_TRUE(crash.work(4));
    EXPECT_EQ(crash.problems(), "");
    EXPECT_EQ(crash.audit_all(), "");
  }

  void stop_and_check(const CrashSetup& setup, const Visit& visit, Outcomes& outcomes) {
    constexpr std::uint64_t messages = 1'000;
    CrashCase crash(node_, setup);
    const auto initial = crash.contents();
    auto victim = crash.start(GetParam(), visit, SIGSTOP);
    const bool helped = crash.help_when_asleep(GetParam(), victim);
    wait_for([&] { return victim.child.poll() || victim.child.stopped(); });
    if (!victim.child.stopped()) {
      EXPECT_TRUE(waits(GetParam())) << "the point was not reached";
      ++outcomes.not_reached;
    }
    outcomes.took_effect +=
        took_effect(GetParam(), before(initial, helped), crash.contents(), victim.member->puid());

    EXPECT_TRUE(crash.work(messages / setup.capacity)) << "the others waited for the one that was stopped";
    victim.child.send(SIGCONT);
    crash.help(GetParam());
    EXPECT_EQ(victim.child.wait(), 0);

    EXPECT_EQ(crash.bury(*victim.member, false), "");
    crash.drain();
    EXPECT_TRUE(crash.work(4));
    EXPECT_EQ(crash.problems(), "");
    EXPECT_EQ(crash.audit_all(), "");
  }

  LocalNode node_;
};

TEST_P(CrashSweep, killed_victim_leaves_everything_in_one_place) {
  for_each_visit("killed in", [this](const CrashSetup& setup, const Visit& visit, Outcomes& outcomes) {
    kill_and_check(setup, visit, false, outcomes);
  });
}

TEST_P(CrashSweep, others_work_on_before_the_killed_victim_is_buried) {
  for_each_visit("killed, buried later, in",
                 [this](const CrashSetup& setup, const Visit& visit, Outcomes& outcomes) {
                   kill_and_check(setup, visit, true, outcomes);
                 });
}

TEST_P(CrashSweep, stopped_victim_holds_up_nobody_and_finishes_rightly) {
  for_each_visit("stopped in", [this](const CrashSetup& setup, const Visit& visit, Outcomes& outcomes) {
    stop_and_check(setup, visit, outcomes);
  });
}

INSTANTIATE_TEST_SUITE_P(operations, CrashSweep,
                         ::testing::Values(Operation::put_small, Operation::put_large,
                                           Operation::put_large_again, Operation::get, Operation::close,
                                           Operation::put_waiting, Operation::get_waiting),
                         [](const auto& instance) { return to_string(instance.param); });

}  // namespace
}  // namespace wyvern::test
