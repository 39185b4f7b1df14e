#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "step_scene.hpp"

// Victims that meet on one ring, each of them before some instruction of its operation.
namespace wyvern::test {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t stride = 53;  // primes: no two of the dead meet the same instructions
#else
constexpr std::size_t stride = 3;  // less than there are between a swap and what follows it
#endif

constexpr std::size_t most_instructions = 10'000;
constexpr Operation put = Operation::put_small;
constexpr Operation get = Operation::get;

struct Meeting {
  Operation dead;
  Operation other;
  std::uint64_t capacity;
};

std::string name_of(const Meeting& meeting) {
  return to_string(meeting.dead) + "_meets_" + to_string(meeting.other) + "_" +
         std::to_string(meeting.capacity);
}

class StepMeeting : public ::testing::TestWithParam<Meeting> {
 protected:
  CrashSetup setup() const { return step_case(GetParam().capacity, false); }

  /// In which that operation can be done.
  static RingState state_for(Operation operation) {
    if (GetParam().capacity > 1) return RingState::one;
    return is_put(operation) ? RingState::empty : RingState::full;
  }

  StepPath walk_alone(Operation operation) {
    return walk(node_, {operation, false}, {GetParam().capacity, state_for(operation)});
  }

  /// From a little before the other one's first step that can be seen to a little after its last one.
  static std::vector<std::size_t> places_of(const StepPath& path, std::size_t offset) {
    constexpr std::size_t margin = 60;
    std::vector<std::size_t> places;
    const std::size_t first = path.changes.size() > 1 ? path.changes[1] : 0;
    const std::size_t last = std::min(path.changes.back() + margin, path.path.size());
    for (std::size_t at = first - std::min(first, margin) + offset % stride; at < last; at += stride)
      places.push_back(at);
    return places;
  }

  static void kill_at(CrashCase::SteppedVictim& victim, const StepPath& path, std::size_t place) {
    victim.child.go_to(path.path, place);
    victim.child.kill();
  }

  static void finish(CrashCase& crash, CrashCase::SteppedVictim& stopped) {
    EXPECT_TRUE(crash.work(1)) << "the others waited";
    stopped.child.let_go();
    EXPECT_EQ(stopped.child.wait(), 0);
    EXPECT_EQ(crash.bury(*stopped.member, false), "");
    check(crash);
  }

  static void check(CrashCase& crash) {
    crash.drain();
    EXPECT_TRUE(crash.work(4));
    EXPECT_EQ(crash.account(0), "");
    EXPECT_EQ(crash.problems(), "");
    EXPECT_EQ(crash.audit_all(), "");
  }

  void report(const char* what, std::size_t deaths, std::size_t meetings) const {
    std::printf("%s: %s, %s: %zu places of death that differ, %zu meetings\n", what,
                to_string(GetParam().dead).c_str(), to_string(GetParam().other).c_str(), deaths, meetings);
  }

  OneCore one_core_;
  LocalNode node_;
};

TEST_P(StepMeeting, burial_is_right_while_who_came_after_the_dead_is_stopped) {
  const StepPath dead_path = walk_alone(GetParam().dead);
  const auto meet = [&](std::size_t died_at, auto with_other) {
    CrashCase crash(node_, setup());
    auto dead = crash.start_stepped(GetParam().dead, Before::round_trips);
    auto other = crash.start_stepped(GetParam().other, Before::round_trips);
    crash.prepare(state_for(GetParam().dead));
    kill_at(dead, dead_path, died_at);
    with_other(crash, dead, other);
  };
  std::size_t number = 0;
  for (const std::size_t died_at : dead_path.changes) {
    StepPath path;
    meet(died_at, [&](auto& crash, auto&, auto& other) { path = walk(crash, other, most_instructions); });
    for (const std::size_t stopped_at : places_of(path, number)) {
      SCOPED_TRACE("died before instruction " + std::to_string(died_at) + ", other one stopped before " +
                   std::to_string(stopped_at));
      meet(died_at, [&](auto& crash, auto& dead, auto& other) {
        EXPECT_TRUE(other.child.go_to(path.path, stopped_at));
        crash.bury(*dead.member, true);  // sound or not is seen when the other one has finished
        finish(crash, other);
      });
      if (HasFailure()) return;
      ++number;
    }
  }
  report("one dies, one comes after it", dead_path.changes.size(), number);
}

TEST_P(StepMeeting, burial_is_right_while_who_came_before_the_dead_is_stopped) {
  const StepPath stopped_path = walk_alone(GetParam().other);
  // The dead one has taken a block from the slot that the stopped one has seen it in, and is about to offer
  // it.
  const auto meet = [&](std::size_t stopped_at, auto with_dead) {
    CrashCase crash(node_, setup());
    auto other = crash.start_stepped(GetParam().other, Before::round_trips);
    crash.prepare(state_for(GetParam().other));
    other.child.go_to(stopped_path.path, stopped_at);
    EXPECT_TRUE(crash.work(3)) << "the others waited";
    crash.refill();
    auto dead = crash.start_stepped(GetParam().dead, Before::opposite);
    with_dead(crash, dead, other);
  };
  StepPath path;
  meet(0, [&](auto& crash, auto& dead, auto&) { path = walk(crash, dead, most_instructions); });
  std::size_t number = 0;
  for (const std::size_t died_at : path.changes) {
    for (const std::size_t stopped_at : places_of(stopped_path, number)) {
      SCOPED_TRACE("stopped before instruction " + std::to_string(stopped_at) + ", other one died before " +
                   std::to_string(died_at));
      meet(stopped_at, [&](auto& crash, auto& dead, auto& other) {
        kill_at(dead, path, died_at);
        crash.bury(*dead.member, true);
        finish(crash, other);
      });
      if (HasFailure()) return;
      ++number;
    }
  }
  report("one is stopped, one comes after it and dies", path.changes.size(), number);
}

TEST_P(StepMeeting, burial_is_right_of_the_next_one_that_uses_the_port_of_the_dead) {
  const StepPath dead_path = walk_alone(GetParam().dead);
  const auto meet = [&](std::size_t died_at, auto with_next) {
    CrashCase crash(node_, setup());
    auto dead = crash.start_stepped(GetParam().dead, Before::round_trips);
    crash.prepare(state_for(GetParam().dead));
    kill_at(dead, dead_path, died_at);
    crash.hand_on_port_of(*dead.member);
    EXPECT_EQ(crash.bury(*dead.member, true), "");
    auto next = crash.start_stepped(GetParam().other, Before::nothing);
    with_next(crash, next);
  };
  std::size_t number = 0;
  for (const std::size_t died_at : dead_path.changes) {
    StepPath path;
    meet(died_at, [&](auto& crash, auto& next) { path = walk(crash, next, most_instructions); });
    for (const std::size_t next_died_at : path.changes) {
      SCOPED_TRACE("died before instruction " + std::to_string(died_at) + ", the next one before " +
                   std::to_string(next_died_at));
      meet(died_at, [&](auto& crash, auto& next) {
        kill_at(next, path, next_died_at);
        const auto left = crash.contents();
        EXPECT_EQ(crash.bury(*next.member, true), "");
        EXPECT_EQ(crash.drain(), left);
        check(crash);
      });
      if (HasFailure()) return;
      ++number;
    }
  }
  report("one dies, the next one dies with its port", dead_path.changes.size(), number);
}

INSTANTIATE_TEST_SUITE_P(operations, StepMeeting,
                         ::testing::Values(Meeting{put, get, 1}, Meeting{get, put, 1}, Meeting{put, get, 2},
                                           Meeting{get, put, 2}, Meeting{put, put, 2}, Meeting{get, get, 2}),
                         [](const auto& instance) { return name_of(instance.param); });

class StepInterrupted : public ::testing::TestWithParam<Steps> {
 protected:
  OneCore one_core_;
  LocalNode node_;
};

TEST_P(StepInterrupted, victim_finishes_rightly_though_the_ring_moves_on_between_its_instructions) {
  constexpr std::size_t most_disturbed = 800;  // who is always late never gets through: then it is left alone
  for (const StepSetup& setup :
       {StepSetup{1, RingState::full}, StepSetup{2, RingState::one}, StepSetup{4, RingState::half}}) {
    for (const std::size_t pause : {1U, 2U, 5U, 11U, 23U, 47U, 83U}) {
      SCOPED_TRACE(to_string(GetParam()) + ", " + to_string(setup) + ", interrupted every " +
                   std::to_string(pause) + " instructions");
      StepScene scene(node_, GetParam(), setup);
      std::size_t steps = 0;
      scene.victim.child.walk(most_disturbed, [&] {
        if (steps++ % pause != 0) return;
        EXPECT_TRUE(scene.crash.work(1)) << "the others waited";
        scene.crash.refill();
      });
      scene.victim.child.let_go();
      EXPECT_EQ(scene.victim.child.wait(), 0);

      EXPECT_EQ(scene.crash.bury(*scene.victim.member, false), "");
      EXPECT_EQ(scene.crash.account(0), "");
      EXPECT_EQ(scene.crash.problems(), "");
      EXPECT_EQ(scene.crash.audit_all(), "");
      if (HasFailure()) return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(operations, StepInterrupted,
                         ::testing::Values(Steps{put, false}, Steps{get, false},
                                           Steps{Operation::put_large, true}, Steps{get, true}),
                         [](const auto& instance) { return to_string(instance.param); });

}  // namespace
}  // namespace wyvern::test
