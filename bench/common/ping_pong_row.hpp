#pragma once

#include <string>

#include "bench/common/row.hpp"
#include "bench/common/team.hpp"

namespace wyvern::bench {

/// What the last round of a ping-pong team has shown; its first worker is the one that measured.
Row ping_pong_row(const std::string& benchmark, const std::string& system, const Team& team);

}  // namespace wyvern::bench
