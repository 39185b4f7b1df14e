#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "bench/common/progress.hpp"
#include "bench/common/row.hpp"

namespace wyvern::bench {

/// What is around the measuring in every program: a warning if the machine is busy, the table and what the
/// figures depend on to standard output, and all of it to the JSON file `json` unless that is empty.
struct Report {
  std::string program;
  std::string json;
  std::vector<std::pair<std::string, std::string>> facts = {};  ///< beside those of describe_machine

  using Measure = std::function<std::vector<Row>(const Progress& progress, double ns_per_tick)>;
  /// Exit status: 1, with a line on standard error, if measuring throws.
  int run(const Measure& measure) const;

 private:
  void measure_and_print(const Measure& measure) const;
};

}  // namespace wyvern::bench
