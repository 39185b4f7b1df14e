#pragma once

#include <string>
#include <utility>
#include <vector>

namespace wyvern::bench {

/// What figures depend on: (name, value), without the machine's name.
std::vector<std::pair<std::string, std::string>> describe_machine(double ns_per_tick);

}  // namespace wyvern::bench
