#pragma once

#include <string>
#include <utility>
#include <vector>

namespace wyvern::bench {

/// How many cores' worth of work the machine does now, from a look of 200 ms.
double busy_cores();

/// What figures depend on: (name, value), without the machine's name. `busy_before`: of busy_cores before
/// anything was measured.
std::vector<std::pair<std::string, std::string>> describe_machine(double ns_per_tick, double busy_before);

}  // namespace wyvern::bench
