// Queues between processes.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/programs/scenarios.hpp"

namespace wyvern::test {
namespace {

/// Eight producers and eight consumers, until somebody ends them.
int crowd(Runtime& runtime, const Arguments&) {
  auto queue = runtime.make_queue<std::uint64_t>({.capacity = 64});
  auto ready = runtime.make_queue<int>();
  std::vector<Process> processes;
  for (int i = 0; i < 8; ++i) {
    processes.push_back(runtime.process(
        [](Queue<std::uint64_t> q, Queue<int> r) {
          for (std::uint64_t number = 0;; ++number) {
            q.put(number);
            if (number == 100) r.put(1);
          }
        },
        queue, ready));
    processes.push_back(runtime.process(
        [](Queue<std::uint64_t> q, Queue<int> r) {
          for (std::uint64_t number = 0;; ++number) {
            q.get();
            if (number == 10) r.put(1);
          }
        },
        queue, ready));
  }
  for (Process& process : processes) process.start();
  for (std::size_t i = 0; i < processes.size(); ++i) ready.get();
  say("all at work");
  for (Process& process : processes) process.join();
  return 0;
}

/// A stopped process holds up nobody.
int stopped(Runtime& runtime, const Arguments&) {
  auto queue = runtime.make_queue<int>({.capacity = 4});
  auto ready = runtime.make_queue<int>();
  Process sleeper = runtime.process(
      [](Queue<int> q, Queue<int> r) {
        q.put(-1);
        r.put(1);
        ::kill(::getpid(), SIGSTOP);
      },
      queue, ready);
  sleeper.start();
  ready.get();
  queue.get();
  Process worker = runtime.process(
      [](Queue<int> q) {
        for (int i = 0; i < 1000; ++i) q.put(i);
        q.close();
      },
      queue);
  worker.start();
  int count = 0;
  for (const int number : queue) count += number == count ? 1 : 0;
  say("got " + std::to_string(count) + ", worker " + std::to_string(worker.join()));
  sleeper.kill();
  say("sleeper " + std::to_string(sleeper.join()));
  return 0;
}

int by_name(Runtime& runtime, const Arguments&) {
  if (runtime.try_open_queue_for<int>(std::chrono::milliseconds(10), "numbers")) return 1;
  Process process = runtime.process([] {
    auto queue = this_process::runtime().open_queue<int>("numbers");  // waits for it
    queue.put(17);
  });
  process.start();
  ::usleep(50'000);
  auto queue = runtime.make_queue<int>({.name = "numbers"});
  say("got " + std::to_string(queue.get()));
  try {
    runtime.open_queue<std::string>("numbers");
  } catch (const TypeMismatch&) {
    say("another type is refused");
  }
  return 0;
}

/// Leases a task, says so, and ends without a word to anybody.
void lease_and_die(Queue<int> tasks, Queue<int> leased, bool is_killed) {
  const auto task = tasks.lease();
  leased.put(*task);
  leased.flush();
  if (is_killed) ::kill(::getpid(), SIGKILL);
  ::_exit(0);
}

/// Of processes of three nodes, at queues of these.
int leases_of_the_dead(Runtime& runtime, const Arguments&) {
  constexpr std::uint32_t nodes = 3;
  const auto leased = runtime.make_queue<int>();
  int back = 0;
  int all = 0;
  for (std::uint32_t home = 1; home <= nodes; ++home) {
    const auto tasks = runtime.make_queue<int>({.node = home});
    for (std::uint32_t node = 1; node <= nodes; ++node) {
      for (const bool is_killed : {true, false}) {
        tasks.put(++all);
        Process worker = runtime.process({.node = node}, lease_and_die, tasks, leased, is_killed);
        worker.start();
        leased.get();
        auto task = tasks.lease();
        back += *task == all && task.delivery_count() == 1 ? 1 : 0;
        task.done();
      }
    }
  }
  say(std::to_string(back) + " of " + std::to_string(all) + " are back");
  return 0;
}

}  // namespace

Scenarios queue_scenarios() {
  return {{"crowd", crowd},
          {"stopped", stopped},
          {"by_name", by_name},
          {"leases_of_the_dead", leases_of_the_dead}};
}

}  // namespace wyvern::test
