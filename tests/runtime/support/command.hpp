#pragma once

#include <map>
#include <string>
#include <vector>

namespace wyvern::test {

/// Runs the `wyvern` command itself, with these arguments, to its end.
struct Command {
  explicit Command(std::vector<std::string> arguments, std::map<std::string, std::string> environment = {});

  int status = 0;
  std::string output;
  std::string error;
};

}  // namespace wyvern::test
