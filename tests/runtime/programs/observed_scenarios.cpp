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

/// Waits for somebody who joins, and for that one's end.
int meeting(Runtime& runtime, const Arguments& arguments) {
  auto queue = runtime.make_queue<std::uint64_t>({.name = "meeting"});
  say("ready");
  const Puid puid(queue.get());
  say("met " + to_string(puid));
  if (!arguments.empty()) return 0;  // and it is ended with the job
  say("it ended with " + std::to_string(join(puid)));
  return 0;
}

/// Who joins: says who it is in the queue of that name, and ends with that status, or not at all.
int meet(Runtime& runtime, const Arguments& arguments) {
  say_refusal<TypeMismatch>("as text", [&] { runtime.open_queue<std::string>("meeting"); });
  auto queue = runtime.open_queue<std::uint64_t>("meeting");
  say("joined as " + to_string(this_process::puid()) + " parent " + to_string(this_process::parent()));
  queue.put(this_process::puid().value());
  if (arguments.at(0) == "stay") sleep_for_ever();
  return std::stoi(arguments.at(0));
}

}  // namespace

Scenarios observed_scenarios() { return {{"observed", observed}, {"meeting", meeting}, {"meet", meet}}; }

}  // namespace wyvern::test
