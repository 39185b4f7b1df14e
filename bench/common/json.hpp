#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bench/common/row.hpp"

namespace wyvern::bench {

/// Everything that was measured as one JSON object; what a row has no value for is null.
std::string to_json(const std::vector<std::pair<std::string, std::string>>& machine,
                    const std::vector<Row>& rows);

}  // namespace wyvern::bench
