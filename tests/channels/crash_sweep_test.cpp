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
// the channel.
namespace wyvern::test {
namespace {

#if defined(__SANITIZE_ADDRESS__)
const std::vector<std::uint64_t> capacities{2};  // a fork of such a process takes ten times as long
#else
const std::vector<std::uint64_t> capacities{1, 2, 4};
#endif

std::vector<RingState> states_for(Operation operation) {
  if (operation == Operation::put_waiting) return {RingState::full};
  if (operation == Operation::get_waiting || operation == Operation::select_waiting)
    return {RingState::empty};
  if (operation == Operation::join_waiting)
    return {RingState::half, RingState::given_back, RingState::closed};
  if (operation == Operation::lease_waiting) return {RingState::empty, RingState::lent};
  std::vector<RingState> states{RingState::empty,       RingState::one,     RingState::half,
                                RingState::full,        RingState::wrapped, RingState::closed,
                                RingState::closed_empty};
  if (!is_put(operation)) states.insert(states.end(), {RingState::given_back, RingState::closed_given_back});
  if (is_lease(operation)) states.push_back(RingState::lent);
  return states;
}

std::vector<CrashSetup> setups_for(Operation operation) {
  const bool reads = !is_put(operation) && !waits(operation) && operation != Operation::close;
  std::vector<CrashSetup> setups;
  for (const std::uint64_t capacity : capacities) {
    for (const RingState state : states_for(operation)) {
      setups.push_back({.capacity = capacity, .state = state});
      if (reads) setups.push_back({.capacity = capacity, .state = state, .large_messages = true});
    }
  }
  return setups;
}

/// Points that an operation passes in one setup or another, at least.
std::set<std::string> minimum_for(Operation operation) {
  std::set<std::string> points{"hold.set"};
  if (operation == Operation::close) return {"hold.set", "close.flagged"};
  if (operation == Operation::join_waiting) return {"hold.set", "park.asleep"};
  const auto add = [&](std::initializer_list<const char*> names) {
    points.insert(names.begin(), names.end());
  };
  add({"port.claimed"});
  if (is_put(operation)) {
    add({"put.begin", "put.intended", "put.swapped", "put.tagged", "put.spared"});
  } else if (operation != Operation::loan_dropped) {
    add({"take.begin", "take.intended", "take.swapped", "take.tagged", "take.spared", "take.woken"});
  }
  if (waits(operation)) {
    add({"park.asleep"});
  } else if (!is_put(operation) && operation != Operation::loan_dropped) {
    add({"take_over.claimed", "take.ending"});
  }
  switch (operation) {
    case Operation::put_large:
    case Operation::put_loan:
      add({"extent.unhinted", "extent.named", "extent.claimed", "payload.claimed"});
      break;
    case Operation::put_large_again: add({"extent.named", "extent.claimed", "payload.claimed"}); break;
    case Operation::put_many: add({"extent.claimed", "put_many.woken"}); break;
    case Operation::loan_dropped:
      add({"extent.claimed", "payload.claimed", "loan.dropped", "extent.freed", "payload.freed",
           "payload.unnamed"});
      break;
    case Operation::get:
    case Operation::take: add({"take_over.got", "extent.freed", "payload.freed", "payload.unnamed"}); break;
    case Operation::get_many: add({"take_over.got", "extent.freed", "get_many.woken"}); break;
    case Operation::get_and_report: add({"task_done.counted"}); break;
    case Operation::lease_waiting: add({"lease.done_counted", "lease.ended"}); break;
    case Operation::lease_done:
      add({"lease.done_counted", "lease.ended", "extent.freed", "payload.unnamed"});
      break;
    case Operation::lease_dropped: add({"give_back.given", "give_back.hinted"}); break;
    default: break;
  }
  return points;
}

/// Where a victim dies or stops: at one of the visits that it makes if left alone.
struct Place {
  CrashSetup setup;
  std::vector<Visit> visits;
  std::size_t number;

  const Visit& visit() const { return visits[number]; }
  bool has_passed(const std::string& point) const {
    return std::any_of(visits.begin(), visits.begin() + static_cast<std::ptrdiff_t>(number) + 1,
                       [&](const Visit& passed) { return passed.first == point; });
  }
};

/// Whether the operation need not come by there in each run: it waits as long as it takes, or looks for an
/// extent where others have left theirs.
bool may_be_missed(Operation operation, const Place& place) {
  return waits(operation) || place.visit().first == "extent.unhinted";
}

std::string describe(Operation operation, const Place& place) {
  const CrashSetup& setup = place.setup;
  return to_string(operation) + " with capacity " + std::to_string(setup.capacity) + ", " +
         to_string(setup.state) + (setup.large_messages ? " of large messages" : "") + ", at passage " +
         std::to_string(place.visit().second) + " of " + place.visit().first;
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
    std::printf("%-40s %8s %12s %12s\n", title.c_str(), "cases", "took effect", "not reached");
    for (const auto& [point, outcomes] : rows_) {
      std::printf("  %-38s %8d %12d %12d\n", point.c_str(), outcomes.cases, outcomes.took_effect,
                  outcomes.not_reached);
    }
  }

 private:
  std::map<std::string, Outcomes> rows_;
};

class CrashSweep : public ::testing::TestWithParam<Operation> {
 protected:
  /// Calls `run(place, outcomes)` for each visit that the operation makes in each setup.
  template <class Run>
  void for_each_visit(const std::string& title, Run run) {
    Table table;
    for (const CrashSetup& setup : setups_for(GetParam())) {
      Place place{.setup = setup, .visits = CrashCase(node_, setup).discover(GetParam()), .number = 0};
      ASSERT_FALSE(place.visits.empty());
      for (; place.number < place.visits.size(); ++place.number) {
        SCOPED_TRACE(describe(GetParam(), place));
        Outcomes& outcomes = table[place.visit().first];
        ++outcomes.cases;
        run(place, outcomes);
        if (HasFailure()) return;
      }
    }
    table.print(title + " " + to_string(GetParam()));
    const auto points = table.points();
    const auto expected = minimum_for(GetParam());
    EXPECT_TRUE(std::includes(points.begin(), points.end(), expected.begin(), expected.end()))
        << "a point that this operation must pass was not seen";
    EXPECT_FALSE(GetParam() == Operation::put_large_again && points.contains("extent.unhinted"));
  }

  /// How many messages the victim found; `helped`: one was put for it.
  std::size_t before(const std::vector<MessageId>& initial, bool helped) const {
    return initial.size() + (most_takes(GetParam()) != 0 && helped ? 1 : 0);
  }

  void kill_and_check(const Place& place, bool others_work_first, Outcomes& outcomes) {
    CrashCase crash(node_, place.setup);
    const auto initial = crash.contents();
    const auto deliveries = crash.deliveries();
    auto victim = crash.start(GetParam(), place.visit(), SIGKILL);
    const bool helped = crash.help_when_asleep(GetParam(), victim);
    const bool reached = victim.child.wait() == -SIGKILL;
    if (!reached) {
      EXPECT_TRUE(may_be_missed(GetParam(), place))
          << "the point was not reached, status " << victim.child.wait();
      ++outcomes.not_reached;
    }
    auto left = crash.contents();  // what slots and ports say is what has happened
    EXPECT_TRUE(waits(GetParam()) || is_possible(GetParam(), initial, left, victim.member->puid()));
    outcomes.took_effect += took_effect(GetParam(), before(initial, helped), left, victim.member->puid());

    EXPECT_TRUE(!others_work_first || crash.work(4)) << "the dead held up the living";
    EXPECT_EQ(crash.bury(*victim.member, true), "");

    const bool reported = place.has_passed("lease.done_counted") || place.has_passed("task_done.counted");
    if (reached && !waits(GetParam()) && left.size() < initial.size() && died_with_lease(place)) {
      left = initial;  // it comes back, with a delivery more
      EXPECT_EQ(crash.deliveries(), std::vector<std::uint32_t>{deliveries.empty() ? 1 : deliveries[0] + 1});
    }
    const auto drained = crash.drain();
    EXPECT_TRUE(others_work_first || waits(GetParam()) || drained == left)
        << "the burial changed what is in the channel";
    finish(crash, reached ? reported : reports(GetParam()) ? crash.got_by(*victim.member) : 0);
  }

  /// A message that was given back and is got is under a lease until the get is counted.
  static bool died_with_lease(const Place& place) {
    if (is_lease(GetParam())) return !place.has_passed("lease.done_counted");
    return place.has_passed("take_over.claimed") && !place.has_passed("take_over.got");
  }

  void stop_and_check(const Place& place, Outcomes& outcomes) {
    constexpr std::uint64_t messages = 200;
    CrashCase crash(node_, place.setup);
    const auto initial = crash.contents();
    auto victim = crash.start(GetParam(), place.visit(), SIGSTOP);
    const bool helped = crash.help_when_asleep(GetParam(), victim);
    wait_for([&] { return victim.child.poll() || victim.child.stopped(); });
    if (!victim.child.stopped()) {
      EXPECT_TRUE(may_be_missed(GetParam(), place)) << "the point was not reached";
      ++outcomes.not_reached;
    }
    outcomes.took_effect +=
        took_effect(GetParam(), before(initial, helped), crash.contents(), victim.member->puid());

    EXPECT_TRUE(crash.work(messages / place.setup.capacity))
        << "the others waited for the one that was stopped";
    crash.refill();
    victim.child.send(SIGCONT);
    crash.help(GetParam());
    EXPECT_EQ(victim.child.wait(), 0);

    EXPECT_EQ(crash.bury(*victim.member, false), "");
    crash.drain();
    finish(crash, reports(GetParam()) ? crash.got_by(*victim.member) : 0);
  }

  static void finish(CrashCase& crash, std::uint64_t reported) {
    EXPECT_TRUE(crash.work(4));
    EXPECT_EQ(crash.account(reported), "");
    EXPECT_EQ(crash.problems(), "");
    EXPECT_EQ(crash.audit_all(), "");
  }

  LocalNode node_;
};

TEST_P(CrashSweep, killed_victim_leaves_everything_in_one_place) {
  for_each_visit("killed in",
                 [this](const Place& place, Outcomes& outcomes) { kill_and_check(place, false, outcomes); });
}

TEST_P(CrashSweep, others_work_on_before_the_killed_victim_is_buried) {
  for_each_visit("killed, buried later, in",
                 [this](const Place& place, Outcomes& outcomes) { kill_and_check(place, true, outcomes); });
}

TEST_P(CrashSweep, stopped_victim_holds_up_nobody_and_finishes_rightly) {
  for_each_visit("stopped in",
                 [this](const Place& place, Outcomes& outcomes) { stop_and_check(place, outcomes); });
}

INSTANTIATE_TEST_SUITE_P(operations, CrashSweep,
                         ::testing::Values(Operation::put_small, Operation::put_large,
                                           Operation::put_large_again, Operation::put_many,
                                           Operation::put_loan, Operation::loan_dropped, Operation::get,
                                           Operation::get_many, Operation::get_and_report, Operation::take,
                                           Operation::lease_done, Operation::lease_dropped, Operation::close,
                                           Operation::put_waiting, Operation::get_waiting,
                                           Operation::lease_waiting, Operation::select_waiting,
                                           Operation::join_waiting),
                         [](const auto& instance) { return to_string(instance.param); });

}  // namespace
}  // namespace wyvern::test
