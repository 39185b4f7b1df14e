#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/thread_number.hpp>

#include "step_scene.hpp"

// A victim is killed, or stopped, before every instruction of put and get. The library is the one that users
// run, without crash points.
namespace wyvern::test {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t stride = 307;  // ten times the instructions, most of them the sanitizer's
constexpr std::size_t most_setups = 3;
constexpr std::size_t most_strayed = 100;  // percent: the sanitizer's allocator goes its own ways
#else
constexpr std::size_t stride = 1;
constexpr std::size_t most_setups = 100;
constexpr std::size_t most_strayed = 10;
#endif

std::vector<StepSetup> setups_for(const Steps& steps) {
  if (is_lease(steps.operation)) return {{1, RingState::given_back, Before::nothing}};
  if (steps.operation == Operation::get_and_report) return {{2, RingState::wrapped}};
  const bool put = is_put(steps.operation);
  if (steps.large) {  // what is different about an extent does not depend on the ring
    if (put) return {{1, RingState::empty, Before::nothing}, {2, RingState::wrapped}, {4, RingState::full}};
    return {{2, RingState::wrapped}, {2, RingState::closed}};
  }
  std::vector<StepSetup> setups{{1, put ? RingState::empty : RingState::full, Before::nothing},
                                {1, RingState::empty},
                                {1, RingState::full},
                                {2, RingState::one},
                                {4, RingState::half},
                                {2, RingState::wrapped},
                                {2, RingState::closed}};
  if (!put) setups.insert(setups.end(), {{2, RingState::closed_empty}, {2, RingState::given_back}});
  return setups;
}

/// What came of the victims of one setup.
struct Row {
  std::size_t instructions = 0;
  std::size_t tried = 0;
  std::size_t took_effect = 0;
  bool has_happened = false;  ///< at one of the places up to here
  std::size_t strayed = 0;    ///< went another way than the first victim, and were stopped elsewhere
};

class SingleStep : public ::testing::TestWithParam<Steps> {
 protected:
  /// Calls `run(setup, path, place, row)` for each place on the way of a victim.
  template <class Run>
  void for_each_instruction(const std::string& title, Run run) {
    std::printf("%-34s %12s %9s %9s %12s %8s\n", (title + " " + to_string(GetParam())).c_str(),
                "instructions", "tried", "no effect", "took effect", "strayed");
    auto setups = setups_for(GetParam());
    setups.resize(std::min(setups.size(), most_setups));
    for (const StepSetup& setup : setups) {
      thread_number();                 // the victims' too, which are forked from this thread
      walk(node_, GetParam(), setup);  // for what happens once in a process
      const SteppedPath path = walk(node_, GetParam(), setup).path;
      Row row{.instructions = path.size()};
      const double share = 1.0 / static_cast<double>(setups.size());
      for (SteppedPlaces places(path.size(), stride, share); !places.has_ended(); places.advance()) {
        const std::size_t place = places.current();
        SCOPED_TRACE(title + " " + to_string(GetParam()) + " before instruction " + std::to_string(place) +
                     ", " + to_string(setup));
        ++row.tried;
        run(setup, path, place, row);
        if (HasFailure()) return;
      }
      std::printf("  %-32s %12zu %9zu %9zu %12zu %8zu\n", to_string(setup).c_str(), row.instructions,
                  row.tried, row.tried - row.took_effect, row.took_effect, row.strayed);
      EXPECT_LE(row.strayed * 100, row.tried * most_strayed) << "too many instructions were not seen";
    }
  }

  /// Lets the victim go to that place, and sees whether its operation has happened there: from one
  /// instruction on it has (but what was leased may be given back).
  void bring(StepScene& scene, const SteppedPath& path, std::size_t place, Row& row) {
    const Operation operation = GetParam().operation;
    const bool strayed = !scene.victim.child.go_to(path, place);
    const auto now = scene.crash.contents();
    const Puid victim = scene.victim.member->puid();
    EXPECT_TRUE(is_possible(operation, scene.initial, now, victim));
    const bool happened = took_effect(operation, scene.initial.size(), now, victim);
    EXPECT_TRUE(happened || strayed || !row.has_happened || operation == Operation::lease_dropped)
        << "what had happened has not happened";
    row.has_happened |= happened && !strayed;
    row.strayed += strayed;
    row.took_effect += happened;
  }

  static void finish(CrashCase& crash, std::uint64_t reported, std::uint64_t most_reported = 0) {
    EXPECT_TRUE(crash.work(4));
    EXPECT_EQ(crash.account(reported, most_reported), "");
    EXPECT_EQ(crash.problems(), "");
    EXPECT_EQ(crash.audit_all(), "");
  }

  void kill_and_check(const StepSetup& setup, const SteppedPath& path, std::size_t place,
                      bool others_work_first, Row& row) {
    StepScene scene(node_, GetParam(), setup);
    bring(scene, path, place, row);
    scene.victim.child.kill();
    const auto left = scene.crash.contents();

    EXPECT_TRUE(!others_work_first || scene.crash.work(40)) << "the dead held up the living";
    EXPECT_EQ(scene.crash.bury(*scene.victim.member, true), "");

    const auto drained = scene.crash.drain();
    const bool may_come_back = is_lease(GetParam().operation) || setup.state == RingState::given_back;
    EXPECT_TRUE(others_work_first || drained == left || (may_come_back && drained == scene.initial))
        << "the burial changed what is in the queue";
    finish(scene.crash, 0, reports(GetParam().operation) ? 1 : 0);
  }

  void stop_and_check(const StepSetup& setup, const SteppedPath& path, std::size_t place, Row& row) {
    StepScene scene(node_, GetParam(), setup);
    bring(scene, path, place, row);

    EXPECT_TRUE(scene.crash.work(40)) << "the others waited for the one that was stopped";
    scene.crash.refill();
    scene.victim.child.let_go();
    EXPECT_EQ(scene.victim.child.wait(), 0);

    EXPECT_EQ(scene.crash.bury(*scene.victim.member, false), "");
    scene.crash.drain();
    finish(scene.crash, reports(GetParam().operation) ? scene.crash.got_by(*scene.victim.member) : 0);
  }

  OneCore one_core_;
  LocalNode node_;
};

TEST_P(SingleStep, killed_victim_leaves_everything_in_one_place) {
  for_each_instruction("killed in", [this](const auto& setup, const auto& path, std::size_t place, Row& row) {
    kill_and_check(setup, path, place, false, row);
  });
}

TEST_P(SingleStep, others_work_on_before_the_killed_victim_is_buried) {
  for_each_instruction("killed, buried later, in",
                       [this](const auto& setup, const auto& path, std::size_t place, Row& row) {
                         kill_and_check(setup, path, place, true, row);
                       });
}

TEST_P(SingleStep, stopped_victim_holds_up_nobody_and_finishes_rightly) {
  for_each_instruction("stopped in", [this](const auto& setup, const auto& path, std::size_t place,
                                            Row& row) { stop_and_check(setup, path, place, row); });
}

INSTANTIATE_TEST_SUITE_P(operations, SingleStep,
                         ::testing::Values(Steps{Operation::put_small, false},
                                           Steps{Operation::put_large, true}, Steps{Operation::get, false},
                                           Steps{Operation::get, true},
                                           Steps{Operation::get_and_report, false},
                                           Steps{Operation::lease_done, false},
                                           Steps{Operation::lease_dropped, false}),
                         [](const auto& instance) { return to_string(instance.param); });

}  // namespace
}  // namespace wyvern::test
