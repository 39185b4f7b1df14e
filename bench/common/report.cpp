#include "bench/common/report.hpp"

#include <exception>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <stdexcept>

#include "bench/common/clock.hpp"
#include "bench/common/json.hpp"
#include "bench/common/machine.hpp"
#include "bench/common/table.hpp"

namespace wyvern::bench {

void Report::measure_and_print(const Measure& measure) const {
  /// With less than this taken away, two processes still have a core each nearly always.
  constexpr double most_busy_cores = 0.1;
  const double ns_per_tick = measure_ns_per_tick();
  const double busy = busy_cores();
  if (busy > most_busy_cores) {
    std::cerr << program << ": other programs keep " << std::setprecision(2) << busy
              << " cores busy: the figures will mean little\n";
  }
  std::vector<Row> rows;
  {
    const Progress progress;
    rows = measure(progress, ns_per_tick);
  }
  auto machine = describe_machine(ns_per_tick, busy);
  machine.insert(machine.end(), facts.begin(), facts.end());
  for (const auto& [name, value] : machine) std::cout << name << ": " << value << '\n';
  print_table(std::cout, rows);
  if (json.empty()) return;
  std::ofstream file(json);
  file << to_json(machine, rows) << std::flush;
  if (!file) throw std::runtime_error("--json: cannot write " + json);
}

int Report::run(const Measure& measure) const {
  try {
    measure_and_print(measure);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << program << ": " << error.what() << '\n';
    return 1;
  }
}

}  // namespace wyvern::bench
