#pragma once

#include <chrono>
#include <string_view>

namespace wyvern::launcher {

/// A time as people write it: "90", "1.5s", "10m", "2h", "1d"; seconds unless it says otherwise. From a
/// millisecond to a year. Throws InvalidArgument, which says what was expected.
std::chrono::milliseconds parse_duration(std::string_view text);

}  // namespace wyvern::launcher
