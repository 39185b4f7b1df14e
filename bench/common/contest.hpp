#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/common/progress.hpp"
#include "bench/common/row.hpp"

namespace wyvern::bench {

/// Who takes part: its name, what it does when it is its turn, and what its turns since the last time amount
/// to.
struct Contestant {
  std::string name;
  std::function<void()> play;
  std::function<Row()> result;
};

/// How often each plays.
struct Schedule {
  std::uint32_t repetitions = 1;
  std::uint32_t turns = 1;  ///< of one repetition
};

/// All play in turn: ours, the others one after another, ours again, and so on. What is adjacent is paired:
/// rows of ours get the ratios to the others of the same repetition. `title` is for the progress.
std::vector<Row> compete(const Contestant& ours, const std::vector<Contestant>& others,
                         const Schedule& schedule, const Progress& progress, const std::string& title);

}  // namespace wyvern::bench
