#pragma once

#include <cstdint>
#include <string>

#include "bench/common/row.hpp"
#include "bench/common/team.hpp"

namespace wyvern::bench {

/// What the last round of a ping-pong team has shown; its first worker is the one that measured.
/// `transfers`: as given to `ping`.
Row ping_pong_row(const std::string& benchmark, const std::string& system, const Team& team,
                  std::uint32_t transfers = 2);

}  // namespace wyvern::bench
