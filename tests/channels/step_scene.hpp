#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "crash_case.hpp"
#include "support/single_step.hpp"

namespace wyvern::test {

/// What a victim is stepped through.
struct Steps {
  Operation operation;
  bool large;
};

struct StepSetup {
  std::uint64_t capacity;
  RingState state;
  Before before = Before::round_trips;
};

std::string to_string(const Steps& steps);
std::string to_string(const StepSetup& setup);

/// A channel that gets messages of so many bytes if they are large: they need an extent, and no more
/// instructions than must be to copy them.
CrashSetup step_case(std::uint64_t capacity, bool large);

/// A channel in the state of a setup, and a victim that stands before its operation.
struct StepScene {
  StepScene(LocalNode& node, const Steps& steps, const StepSetup& setup);

  CrashCase crash;
  CrashCase::SteppedVictim victim;
  std::vector<MessageId> initial;  ///< in the ring
};

/// The way that a victim goes if nobody disturbs it.
struct StepPath {
  SteppedPath path;
  /// Places before which the channel is not as it was one instruction earlier: what the dead leave behind is
  /// the same everywhere else.
  std::vector<std::size_t> changes;
};

/// Lets the victim go its way to the end and buries it; of a way that is longer, the first `most`
/// instructions are seen.
StepPath walk(CrashCase& crash, CrashCase::SteppedVictim& victim, std::size_t most);
/// The same in a scene of its own. Of an operation that is turned back only the first instructions.
StepPath walk(LocalNode& node, const Steps& steps, const StepSetup& setup);

}  // namespace wyvern::test
