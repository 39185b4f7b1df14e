// Tasks that survive their workers: they are leased, so that the one in hand comes back when its worker dies,
// and one that kills everybody who takes it ends among the dead letters. Each task carries the queue for its
// answer.
#include <csignal>
#include <cstdint>
#include <iostream>

#include <wyvern/wyvern.hpp>

struct Task {
  std::uint64_t number;
  wyvern::Producer<std::uint64_t> answers;
};

constexpr std::uint64_t tasks_in_all = 20;
constexpr std::uint64_t deadly_task = 13;

void work(wyvern::Consumer<Task> tasks) {
  try {
    while (true) {
      auto task = tasks.lease();
      if (task->number == deadly_task) std::raise(SIGKILL);  // as a bug would
      task->answers.put(task->number * task->number);
      task.done();
    }
  } catch (const wyvern::QueueClosed&) {
    // Nothing is left, and nobody holds a task that could come back.
  }
}

int main(int argc, char** argv) {
  return wyvern::run(argc, argv, [](wyvern::Runtime& runtime) {
    auto dead_letters = runtime.make_queue<Task>();
    auto tasks = runtime.make_queue<Task>({.max_deliveries = 3, .dead_letters = dead_letters.channel()});
    auto answers = runtime.make_queue<std::uint64_t>();
    for (std::uint64_t number = 0; number < tasks_in_all; ++number) {
      tasks.put({number, answers.producer()});
    }
    tasks.close();

    int workers_lost = 0;
    while (true) {
      auto worker = runtime.process(work, tasks.consumer());
      worker.start();
      if (worker.join() == 0) break;
      ++workers_lost;
    }
    std::uint64_t sum = 0;
    while (const auto answer = answers.try_get()) sum += *answer;
    std::cout << "sum of squares " << sum << ", workers lost " << workers_lost << ", dead letter: task "
              << dead_letters.get().number << std::endl;
  });
}
