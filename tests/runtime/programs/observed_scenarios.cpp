// Jobs that somebody looks at from outside, or joins.
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "runtime/programs/scenarios.hpp"

namespace wyvern::test {
namespace {

/// Queues until somebody ends the job: an empty one that a process waits at, a full one that another waits
/// at, one that is put into and got from all the time, and as many more as are asked for, on all nodes in
/// turns.
int observed(Runtime& runtime, const Arguments& arguments) {
  auto empty = runtime.make_queue<int>({.name = "empty"});
  auto full = runtime.make_queue<int>({.capacity = 2, .name = "full"});
  auto busy = runtime.make_queue<int>({.capacity = 8, .name = "busy"});
  std::vector<Queue<int>> others;
  for (int i = 0; i < std::stoi(arguments.at(0)); ++i) {
    const std::uint32_t node = static_cast<std::uint32_t>(i) % runtime.nodes() + 1;
    others.push_back(
        runtime.make_queue<int>({.capacity = 16, .node = node, .name = "other " + std::to_string(i)}));
  }
  for (int i = 0; i < 2; ++i) full.put(i);
  Process getter = runtime.process(
      {.node = 1, .name = "getter"}, [](Queue<int> q) { q.get(); }, empty);
  Process putter = runtime.process(
      {.node = 1, .name = "putter"}, [](Queue<int> q) { q.put(3); }, full);
  getter.start();
  putter.start();
  say("ready");
  while (true) {
    busy.put(1);
    busy.get();
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

}  // namespace

Scenarios observed_scenarios() { return {{"observed", observed}}; }

}  // namespace wyvern::test
