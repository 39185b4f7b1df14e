#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace wyvern::bench {

/// How many cores' worth of work the machine does now, from a look of 200 ms.
double busy_cores();

/// Keeps the calling thread, and what it starts, to the n-th core that it may use, if there are as many:
/// spinning processes that the kernel lets share a core measure its turns.
void keep_to_core(std::uint32_t n);

/// What figures depend on: (name, value), without the machine's name. `busy_before`: of busy_cores before
/// anything was measured.
std::vector<std::pair<std::string, std::string>> describe_machine(double ns_per_tick, double busy_before);

}  // namespace wyvern::bench
