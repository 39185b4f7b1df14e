#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wyvern::launcher {

/// Of `wyvern join`.
struct JoinOptions {
  std::string job;  ///< a number, or a program's name
  std::uint32_t node = 1;
  std::vector<std::string> program;  ///< and its arguments
};

}  // namespace wyvern::launcher
