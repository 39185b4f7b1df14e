#pragma once

#include <ostream>
#include <vector>

#include "bench/common/row.hpp"

namespace wyvern::bench {

/// A line for each system and case: medians over the repetitions, and below ours the ratios of the pairs.
void print_table(std::ostream& out, const std::vector<Row>& rows);

}  // namespace wyvern::bench
