#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/queue/progress.hpp"
#include "bench/queue/row.hpp"

namespace wyvern::bench {

/// Who takes part: its name, and how one repetition of it is measured.
struct Contestant {
  std::string name;
  std::function<Row()> measure;
};

/// Measures all in turn, so often: ours, the others one after another, ours again, and so on. What is
/// adjacent is paired: rows of ours get the ratios to the others of the same repetition. `title` is for the
/// progress.
std::vector<Row> compete(const Contestant& ours, const std::vector<Contestant>& others,
                         std::uint32_t repetitions, const Progress& progress, const std::string& title);

}  // namespace wyvern::bench
