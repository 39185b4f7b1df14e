// Many processes that wait for what is on another node.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <wyvern/channels/remote/member_access.hpp>

#include "runtime/programs/scenarios.hpp"

namespace wyvern::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int waiting_processes = 8;
constexpr int threads_each = 32;
constexpr int waiting_gets = waiting_processes * threads_each;
constexpr std::uint32_t home = 1;

/// What a get brought, and the how manyth it was.
struct Served {
  int turn = 0;
  int number = 0;
};

/// Of gets that do not wait, or not for long.
struct Looks {
  bool found_nothing = true;
  bool was_early = false;
  std::int64_t median_now_us = 0;
  std::int64_t longest_now_us = 0;
  std::int64_t median_limited_us = 0;
  std::int64_t longest_limited_us = 0;
};

std::size_t operations_under_way() {
  RemoteAccess& access = remote_access(Member::current(), home);
  RemoteAccess::Lock lock = access.lock();
  return access.node(lock, home)->operations();
}

/// Its gets come to the home one after another, all before `waiting` gets a message.
void wait_in_turn(Queue<int> numbers, Queue<int> waiting, Queue<Served> served, int first_turn) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < threads_each; ++i) {
    const std::size_t before = operations_under_way();
    threads.emplace_back([=] {
      const int number = numbers.get();
      served.put({.turn = first_turn + i, .number = number});
    });
    while (operations_under_way() == before) std::this_thread::yield();
    (void)numbers.size_approx();  // the home answers in order
  }
  waiting.put(first_turn);
}

template <class Get>
std::vector<std::int64_t> times_of(int count, Looks& looks, Get get) {
  std::vector<std::int64_t> microseconds;
  for (int i = 0; i < count; ++i) {
    const auto begin = Clock::now();
    looks.found_nothing &= !get().has_value();
    microseconds.push_back(
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin).count());
  }
  std::ranges::sort(microseconds);
  return microseconds;
}

void look(Queue<int> numbers, Queue<Looks> out) {
  constexpr std::chrono::milliseconds limit{10};
  Looks looks;
  const auto now = times_of(101, looks, [&] { return numbers.try_get(); });
  const auto limited = times_of(21, looks, [&] { return numbers.try_get_for(limit); });
  looks.was_early = limited.front() < std::chrono::microseconds(limit).count();
  looks.median_now_us = now[now.size() / 2];
  looks.longest_now_us = now.back();
  looks.median_limited_us = limited[limited.size() / 2];
  looks.longest_limited_us = limited.back();
  out.put(looks);
}

void say_looks(const std::string& where, const Looks& looks, bool with_times) {
  say(where + ": " + (looks.found_nothing ? "nothing" : "a message") + ", " +
      (looks.was_early ? "before its time" : "not before its time"));
  if (!with_times) return;
  say("try_get: median " + std::to_string(looks.median_now_us) + " us, longest " +
      std::to_string(looks.longest_now_us) + " us; try_get_for(10 ms): median " +
      std::to_string(looks.median_limited_us) + " us, longest " + std::to_string(looks.longest_limited_us) +
      " us");
}

/// With an argument it also says how long gets took that do not wait, beside those that do.
int gets_in_turn(Runtime& runtime, const Arguments& arguments) {
  auto numbers = runtime.make_queue<int>({.node = home});
  auto waiting = runtime.make_queue<int>({.node = home});
  auto served = runtime.make_queue<Served>({.node = home});
  auto looks = runtime.make_queue<Looks>({.node = home});
  std::vector<Process> processes;
  for (int i = 0; i < waiting_processes; ++i) {
    const std::uint32_t node = 2 + static_cast<std::uint32_t>(i) % (runtime.nodes() - 1);
    processes.push_back(
        runtime.process({.node = node}, wait_in_turn, numbers, waiting, served, i * threads_each));
    processes.back().start();
    waiting.get();  // the next one comes behind it
  }
  say(std::to_string(waiting_gets) + " gets wait");

  for (const std::uint32_t node : {home, home + 1}) {
    Process process = runtime.process({.node = node}, look, numbers, looks);
    process.start();
    say_looks(node == home ? "here" : "elsewhere", looks.get(), !arguments.empty());
    if (process.join() != 0) return 1;
  }

  for (int i = 0; i < waiting_gets; ++i) numbers.put(i);
  int in_turn = 0;
  for (Process& process : processes) {
    if (process.join() != 0) return 1;
  }
  int count = 0;
  for (; const auto one = served.try_get(); ++count) in_turn += one->turn == one->number ? 1 : 0;
  say(std::to_string(count) + " gets, " + std::to_string(in_turn) + " in turn");
  return 0;
}

}  // namespace

Scenarios remote_wait_scenarios() { return {{"gets_in_turn", gets_in_turn}}; }

}  // namespace wyvern::test
