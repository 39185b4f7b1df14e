// Waiting for processes: one of several, all, by puid from anywhere.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/programs/scenarios.hpp"

namespace wyvern::test {
namespace {

using std::chrono::milliseconds;

std::string text(const std::vector<int>& statuses) {
  std::string line;
  for (const int status : statuses) line += " " + std::to_string(status);
  return line;
}

int end_when_told(Queue<int> queue) { return queue.get(); }

/// Two on each node, each with a queue of its own: in the second half of them those of the first half's
/// nodes.
struct Crowd {
  explicit Crowd(Runtime& runtime) {
    for (std::uint32_t i = 0; i < 2 * runtime.nodes(); ++i) {
      queues.push_back(runtime.make_queue<int>());
      processes.push_back(runtime.process({.node = i % runtime.nodes() + 1}, end_when_told, queues.back()));
      processes.back().start();
    }
  }

  std::vector<Queue<int>> queues;
  std::vector<Process> processes;
};

/// Each time the last one that still runs is told to end.
int wait_for_any(Runtime& runtime, const Arguments&) {
  Crowd crowd(runtime);
  bool in_time = try_wait_any_for(milliseconds(20), crowd.processes).has_value() ||
                 try_wait_any_for(milliseconds(0), crowd.processes).has_value();
  say(in_time ? "in time" : "not in time");
  std::span<const Process> left(crowd.processes);
  bool right = true;
  while (!left.empty()) {
    crowd.queues[left.size() - 1].put(0);
    right &= wait_any(left) == left.size() - 1;
    right &= try_wait_any_for(milliseconds(0), left) == left.size() - 1;
    left = left.first(left.size() - 1);
  }
  say(right ? "the right ones" : "wrong ones");
  return 0;
}

/// While a fiber waits for any, another one ends the last.
int wait_for_any_in_a_fiber(Runtime& runtime, const Arguments&) {
  Crowd crowd(runtime);
  Fiber waiting([&] { return wait_any(crowd.processes); });
  Fiber in_vain([&] { return try_wait_any_for(milliseconds(0), crowd.processes).has_value(); });
  Fiber telling([&] { crowd.queues.back().put(0); });
  say(in_vain.join() ? "in time" : "not in time");
  telling.join();
  say(waiting.join() == crowd.processes.size() - 1 ? "the right one" : "a wrong one");
  for (Queue<int>& queue : crowd.queues) queue.put(0);
  say("ended" + text(wait_all(crowd.processes)));
  return 0;
}

int wait_for_all(Runtime& runtime, const Arguments&) {
  Crowd crowd(runtime);
  const auto in_time = try_wait_all_for(milliseconds(20), crowd.processes);
  say(in_time ? "in time" : "not in time");
  for (std::size_t i = 0; i < crowd.queues.size(); ++i) crowd.queues[i].put(static_cast<int>(i));
  say("ended" + text(wait_all(crowd.processes)));
  say("again" + text(try_wait_all_for(milliseconds(0), crowd.processes).value_or(std::vector<int>())));
  return 0;
}

int waits_that_cannot_be(Runtime& runtime, const Arguments&) {
  const std::vector<Process> none;
  say("all of none:" + text(wait_all(none)));
  say_refusal<InvalidArgument>("any of none", [&] { wait_any(none); });
  std::vector<Process> not_started;
  not_started.push_back(runtime.process([] {}));
  say_refusal<InvalidArgument>("one that was not started", [&] { wait_any(not_started); });
  say_refusal<InvalidArgument>("all that were not started", [&] { wait_all(not_started); });
  const auto refused = [](const std::string& what, Puid puid) {
    const std::vector<Puid> puids{puid};
    say_refusal<InvalidArgument>(what + ", any", [&] { wait_any(puids); });
    say_refusal<InvalidArgument>(what + ", all", [&] { wait_all(puids); });
    say_refusal<InvalidArgument>(what + ", join", [&] { try_join_for(std::chrono::hours(1), puid); });
  };
  refused("oneself", runtime.puid());
  refused("nobody here", Puid::make(0, 1, 1000));
  refused("nobody there", Puid::make(0, runtime.nodes(), 1001));
  refused("another node", Puid::make(0, 9, 1));
  return 0;
}

/// From each node for a process of each node: not in time while it runs, its status twice when it has ended.
int join_from_everywhere(Runtime& runtime, const Arguments&) {
  Crowd crowd(runtime);
  std::vector<std::uint64_t> puids;
  for (const Process& process : crowd.processes) puids.push_back(process.puid().value());
  auto waiting = runtime.make_queue<int>();
  std::vector<Process> joiners;
  for (std::uint32_t node = 1; node <= runtime.nodes(); ++node) {
    joiners.push_back(runtime.process(
        {.node = node},
        [](std::vector<std::uint64_t> others, Queue<int> ready) {
          for (const std::uint64_t other : others) {
            if (try_join_for(milliseconds(1), Puid(other))) return 1;
          }
          ready.put(1);
          for (std::size_t i = 0; i < others.size(); ++i) {
            const int status = static_cast<int>(i) + 10;
            if (join(Puid(others[i])) != status || join(Puid(others[i])) != status) return 2;
            if (try_join_for(milliseconds(0), Puid(others[i])) != status) return 3;
          }
          return 0;
        },
        puids, waiting));
    joiners.back().start();
  }
  for (std::size_t i = 0; i < joiners.size(); ++i) waiting.get();
  for (std::size_t i = 0; i < crowd.queues.size(); ++i) crowd.queues[i].put(static_cast<int>(i) + 10);
  say("joiners" + text(wait_all(joiners)));
  return 0;
}

/// The one in the middle dies while its child goes on; its child's child ends the line.
void last_of_a_line(Queue<std::uint64_t> puids, Queue<int> go) {
  puids.put(this_process::puid().value());
  go.get();
}
void middle_of_a_line(Queue<std::uint64_t> puids, Queue<int> go) {
  Process child = this_process::runtime().process(last_of_a_line, puids, go);
  child.start();
  sleep_for_ever();
}
int child_of_a_dead_process(Runtime& runtime, const Arguments&) {
  auto puids = runtime.make_queue<std::uint64_t>();
  auto go = runtime.make_queue<int>();
  Process middle = runtime.process({.node = runtime.nodes()}, middle_of_a_line, puids, go);
  middle.start();
  const Puid child(puids.get());
  middle.kill();
  say("middle " + std::to_string(middle.join()));
  say(try_join_for(milliseconds(20), child) ? "child has ended" : "child goes on");
  go.put(1);
  say("child " + std::to_string(join(child)));
  return 0;
}

/// To that depth, each on the next node; the status counts the way back.
int descend(int depth) {
  if (depth == 0) return 0;
  Process child = this_process::runtime().process(descend, depth - 1);
  child.start();
  return child.join() + 1;
}
int nested_to_a_depth(Runtime&, const Arguments& arguments) {
  say("depth " + std::to_string(descend(std::stoi(arguments.at(0)))));
  return 0;
}

}  // namespace

Scenarios wait_scenarios() {
  return {{"wait_for_any", wait_for_any},
          {"wait_for_any_in_a_fiber", wait_for_any_in_a_fiber},
          {"wait_for_all", wait_for_all},
          {"waits_that_cannot_be", waits_that_cannot_be},
          {"join_from_everywhere", join_from_everywhere},
          {"child_of_a_dead_process", child_of_a_dead_process},
          {"nested_to_a_depth", nested_to_a_depth}};
}

}  // namespace wyvern::test
