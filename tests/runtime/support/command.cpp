#include "runtime/support/command.hpp"

#include <utility>

#include "runtime/support/job.hpp"

namespace wyvern::test {

Command::Command(std::vector<std::string> arguments, std::map<std::string, std::string> environment) {
  arguments.insert(arguments.begin(), WYVERN_COMMAND);
  Job job(Job::How::direct, std::move(arguments), {.environment = std::move(environment)});
  status = job.wait();
  output = job.output();
  error = job.error();
}

}  // namespace wyvern::test
