#include "step_scene.hpp"

#include <algorithm>
#include <utility>

namespace wyvern::test {
namespace {

constexpr std::size_t large_bytes = 100;
/// Whoever is turned back from a closed queue spends tens of thousands of instructions on the exception, once
/// all is done.
constexpr std::size_t most_before_exception = 400;
constexpr std::size_t most_instructions = 50'000;

bool is_turned_back(const Steps& steps, RingState state) {
  return state == RingState::closed_empty || (state == RingState::closed && is_put(steps.operation));
}

}  // namespace

std::string to_string(const Steps& steps) {
  if (is_put(steps.operation)) return to_string(steps.operation);
  return to_string(steps.operation) + (steps.large ? "_large" : "_small");
}

std::string to_string(const StepSetup& setup) {
  return to_string(setup.state) + " (" + std::to_string(setup.capacity) + ")" +
         (setup.before == Before::nothing ? ", first use" : "");
}

CrashSetup step_case(std::uint64_t capacity, bool large) {
  return {.capacity = capacity, .large_messages = large, .large_bytes = large_bytes};
}

StepScene::StepScene(LocalNode& node, const Steps& steps, const StepSetup& setup)
    : crash(node, step_case(setup.capacity, steps.large)),
      victim(crash.start_stepped(steps.operation, setup.before)) {
  crash.prepare(setup.state);
  initial = crash.contents();
}

StepPath walk(CrashCase& crash, CrashCase::SteppedVictim& victim, std::size_t most) {
  const auto memory = crash.memory();
  std::vector<std::byte> before;
  std::size_t place = 0;
  std::vector<std::size_t> changes;
  const auto look = [&] {
    if (!std::equal(memory.begin(), memory.end(), before.begin(), before.end())) {
      before.assign(memory.begin(), memory.end());
      changes.push_back(place);
    }
    ++place;
  };
  auto path = victim.child.walk(most, look);
  victim.child.let_go();
  victim.child.wait();
  crash.bury(*victim.member, false);
  return {std::move(path), std::move(changes)};
}

StepPath walk(LocalNode& node, const Steps& steps, const StepSetup& setup) {
  StepScene scene(node, steps, setup);
  return walk(scene.crash, scene.victim,
              is_turned_back(steps, setup.state) ? most_before_exception : most_instructions);
}

}  // namespace wyvern::test
