// What processes of a job do to each other through queues: with several nodes each is on another one, as long
// as there are enough.
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "runtime/programs/scenarios.hpp"

namespace wyvern::test {
namespace {

constexpr int workers = 4;

/// 0 if all have ended with 0.
int join_all(std::vector<Process>& processes) {
  return static_cast<int>(std::count_if(processes.begin(), processes.end(),
                                        [](Process& process) { return process.join() != 0; }));
}

/// The last node puts 16 MiB, and is gone before anybody gets.
int large_put(Runtime& runtime, const Arguments&) {
  constexpr std::size_t size = std::size_t{16} << 20;
  auto queue = runtime.make_queue<std::string>();
  Process process = runtime.process(
      {.node = runtime.nodes()}, [](Queue<std::string> q) { q.put(std::string(size, 'w')); }, queue);
  process.start();
  say("put with status " + std::to_string(process.join()));
  say(queue.get() == std::string(size, 'w') ? "whole" : "changed");
  return 0;
}

/// Each producer's numbers come in order: the last that each has put, when all have come so.
int order(Runtime& runtime, const Arguments&) {
  struct Item {
    int producer = 0;
    int number = 0;
  };
  constexpr int count = 1000;
  auto queue = runtime.make_queue<Item>({.capacity = 16});
  std::vector<Process> processes;
  for (int producer = 0; producer < workers; ++producer) {
    processes.push_back(runtime.process(
        [](Queue<Item> q, int which) {
          for (int number = 0; number < count; ++number) q.put({which, number});
        },
        queue, producer));
    processes.back().start();
  }
  std::vector<int> next(workers);
  int wrong = 0;
  for (int i = 0; i < workers * count; ++i) {
    const Item item = queue.get();
    wrong += item.number == next.at(static_cast<std::size_t>(item.producer))++ ? 0 : 1;
  }
  say(std::to_string(wrong) + " out of order, " + std::to_string(queue.size_approx()) + " too many");
  return join_all(processes);
}

/// Producers and consumers; a second queue brings back what has arrived.
int verified(Runtime& runtime, const Arguments&) {
  constexpr int count = 500;
  auto items = runtime.make_queue<int>({.capacity = 32});
  auto seen = runtime.make_queue<int>({.capacity = 32});
  std::vector<Process> producers;
  std::vector<Process> consumers;
  for (int worker = 0; worker < workers; ++worker) {
    producers.push_back(runtime.process(
        [](Queue<int> q, int which) {
          for (int i = 0; i < count; ++i) q.put(which * count + i);
        },
        items, worker));
    consumers.push_back(runtime.process(
        [](Queue<int> from, Queue<int> to) {
          for (const int item : from) to.put(item);
        },
        items, seen));
    producers.back().start();
    consumers.back().start();
  }
  std::vector<int> times(workers * count);
  for (std::size_t i = 0; i < times.size(); ++i) ++times.at(static_cast<std::size_t>(seen.get()));
  const int failed = join_all(producers);
  items.close();
  const int all_failed = failed + join_all(consumers);
  say(std::to_string(std::count(times.begin(), times.end(), 1)) + " once, " +
      std::to_string(seen.size_approx()) + " too many");
  return all_failed;
}

/// Processes that wait for a message are killed: later puts hold up nobody, and there are messages for who
/// lives.
int killed_waiters(Runtime& runtime, const Arguments&) {
  auto items = runtime.make_queue<int>();
  auto ready = runtime.make_queue<int>();
  std::vector<Process> processes;
  for (int worker = 0; worker < workers; ++worker) {
    processes.push_back(runtime.process(
        [](Queue<int> q, Queue<int> r) {
          r.put(1);
          q.get();
        },
        items, ready));
    processes.back().start();
  }
  for (int worker = 0; worker < workers; ++worker) ready.get();
  ::usleep(50'000);  // most of them wait by now; it must hold for one that does not, too
  for (Process& process : processes) process.kill();
  say(std::to_string(join_all(processes)) + " killed");
  // From another node each may take one along that was already under way to it; from this one, none.
  for (int i = 0; i <= workers; ++i) items.put(17);
  say("got " + std::to_string(items.get()));
  if (runtime.nodes() == 1) say(std::to_string(items.size_approx()) + " more");
  return 0;
}

int joinable(Runtime& runtime, const Arguments&) {
  auto tasks = runtime.make_queue<int>();
  auto sums = runtime.make_queue<int>();
  std::vector<Process> processes;
  for (int worker = 0; worker < workers; ++worker) {
    processes.push_back(runtime.process(
        [](Queue<int> from, Queue<int> to) {
          for (const int task : from) {
            to.put(task);
            to.flush();
            from.task_done();
          }
        },
        tasks, sums));
    processes.back().start();
  }
  for (int task = 1; task <= 100; ++task) tasks.put(task);
  say(std::to_string(tasks.join()) + " lost");
  const std::vector<int> done = sums.get_many(100);  // all are there: it was flushed before it was reported
  say("sum " + std::to_string(std::accumulate(done.begin(), done.end(), 0)));
  tasks.close();
  return join_all(processes);
}

/// What a process of the last node sees after each operation.
int sizes(Runtime& runtime, const Arguments&) {
  auto queue = runtime.make_queue<int>({.capacity = 2});
  Process process = runtime.process(
      {.node = runtime.nodes()},
      [](Queue<int> q) {
        const auto say_size = [&q](const std::string& after) {
          say(after + ": " + std::to_string(q.size_approx()) + " of " + std::to_string(q.capacity()) +
              (q.empty_approx() ? ", empty" : "") + (q.full_approx() ? ", full" : ""));
        };
        say_size("made");
        for (int i = 0; i < 2; ++i) {
          q.put(i);
          q.flush();
          say_size("put");
        }
        say(q.try_put(2) ? "put" : "no room");
        for (int i = 0; i < 2; ++i) {
          q.get();
          say_size("got");
        }
        say(q.try_get() ? "got" : "nothing there");
      },
      queue);
  process.start();
  return process.join();
}

/// Three rounds over two members on each node, the queue of each at home where it is.
int ring_of_two_a_node(Runtime& runtime, const Arguments&) {
  constexpr int rounds = 3;
  const std::uint32_t members = 2 * runtime.nodes();
  std::vector<Queue<int>> places;
  for (std::uint32_t member = 0; member < members; ++member)
    places.push_back(runtime.make_queue<int>({.node = member % runtime.nodes() + 1}));
  std::vector<Process> processes;
  for (std::uint32_t member = 0; member < members; ++member) {
    processes.push_back(runtime.process(
        {.node = member % runtime.nodes() + 1},
        [](Queue<int> mine, Queue<int> next) {
          for (int round = 0; round < rounds; ++round) next.put(mine.get() + 1);
        },
        places[member], places[(member + 1) % members]));
    processes.back().start();
  }
  places.front().put(0);
  const int failed = join_all(processes);
  say("token " + std::to_string(places.front().get()));
  return failed;
}

}  // namespace

Scenarios exchange_scenarios() {
  return {{"large_put", large_put},
          {"order", order},
          {"verified", verified},
          {"killed_waiters", killed_waiters},
          {"joinable", joinable},
          {"sizes", sizes},
          {"ring_of_two_a_node", ring_of_two_a_node}};
}

}  // namespace wyvern::test
