#pragma once

#include <string>
#include <utility>

namespace wyvern::launcher {

/// What one check of `wyvern doctor` has found.
struct Finding {
  std::string check;  ///< its name
  bool ok = true;
  std::string what;  ///< is so
  std::string fix;   ///< for a problem: what to do
};

inline Finding all_well(std::string check, std::string what) {
  return {.check = std::move(check), .ok = true, .what = std::move(what), .fix = {}};
}
inline Finding problem(std::string check, std::string what, std::string fix) {
  return {.check = std::move(check), .ok = false, .what = std::move(what), .fix = std::move(fix)};
}

}  // namespace wyvern::launcher
