// The program behind the end-to-end tests: job_program SCENARIO [ARGUMENTS...]
#include <unistd.h>

#include <iostream>

#include "runtime/programs/scenarios.hpp"

namespace wyvern::test {

void say(const std::string& line) { std::cout << line << std::endl; }

void sleep_for_ever() {
  while (true) ::pause();
}

}  // namespace wyvern::test

int main(int argc, char** argv) {
  using namespace wyvern::test;
  Scenarios scenarios = process_scenarios();
  scenarios.merge(output_scenarios());
  scenarios.merge(ending_scenarios());
  scenarios.merge(exchange_scenarios());
  scenarios.merge(queue_scenarios());
  scenarios.merge(node_scenarios());
  scenarios.merge(handle_scenarios());
  scenarios.merge(remote_wait_scenarios());
  scenarios.merge(option_scenarios());
  scenarios.merge(wait_scenarios());
  scenarios.merge(observed_scenarios());
  const Arguments arguments(argv + 1, argv + argc);
  const auto found = arguments.empty() ? scenarios.end() : scenarios.find(arguments.front());
  if (found == scenarios.end()) {
    std::cerr << "job_program: no such scenario\n";
    return 99;
  }
  const int status = wyvern::run(argc, argv, [&](wyvern::Runtime& runtime) {
    return found->second(runtime, Arguments(arguments.begin() + 1, arguments.end()));
  });
  if (arguments.front() == "run_twice") {
    try {
      wyvern::run(argc, argv, [](wyvern::Runtime&) {});
    } catch (const wyvern::InvalidArgument&) {
      say("second run refused");
    }
  }
  return status;
}
