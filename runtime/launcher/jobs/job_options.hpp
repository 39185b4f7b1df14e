#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace wyvern::launcher {

/// Of `wyvern ps`.
struct PsOptions {
  std::string job;  ///< a number, or a program's name; empty: all jobs
  bool json = false;
};

/// Of `wyvern top`.
struct TopOptions {
  std::string job;  ///< as above
  bool once = false;
  std::chrono::milliseconds interval{1000};
  bool json = false;
};

}  // namespace wyvern::launcher
