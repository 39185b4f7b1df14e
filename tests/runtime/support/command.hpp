#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/support/job.hpp"

namespace wyvern::test {

/// Runs the `wyvern` command itself, with these arguments, to its end.
struct Command {
  explicit Command(std::vector<std::string> arguments, std::map<std::string, std::string> environment = {}) {
    arguments.insert(arguments.begin(), WYVERN_COMMAND);
    Job job(Job::How::direct, std::move(arguments), {.environment = std::move(environment)});
    status = job.wait();
    output = job.output();
    error = job.error();
  }
  int status = 0;
  std::string output;
  std::string error;
};

}  // namespace wyvern::test
