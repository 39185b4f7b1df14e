#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <wyvern/wyvern.hpp>

namespace wyvern::test {

/// What a head does in an end-to-end test; gets the arguments behind the scenario's name, returns the exit
/// status.
using Arguments = std::vector<std::string>;
using Scenario = std::function<int(Runtime& runtime, const Arguments& arguments)>;
using Scenarios = std::map<std::string, Scenario>;

/// By topic, each in a file of its own.
Scenarios process_scenarios();
Scenarios output_scenarios();
Scenarios ending_scenarios();
Scenarios exchange_scenarios();
Scenarios queue_scenarios();
Scenarios node_scenarios();
Scenarios handle_scenarios();
Scenarios remote_wait_scenarios();
Scenarios option_scenarios();
Scenarios wait_scenarios();
Scenarios observed_scenarios();

/// Prints a line at once, also if stdout is a file.
void say(const std::string& line);
[[noreturn]] void sleep_for_ever();

/// The error that this ends with, if it is of that type.
template <class Expected, class Function>
void say_refusal(const std::string& what, Function&& function) {
  try {
    function();
    say(what + ": no exception");
  } catch (const Expected& error) {
    say(what + ": " + error.what());
  }
}

}  // namespace wyvern::test
