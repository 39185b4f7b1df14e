// Many workers share one queue, and say when a task is done.
#include <iostream>
#include <vector>

#include <wyvern/wyvern.hpp>

void work(wyvern::Queue<int> tasks, wyvern::Queue<int> results) {
  for (const int task : tasks) {
    results.put(task * task);
    results.flush();  // in the queue, before the task is reported
    tasks.task_done();
  }
}

int main(int argc, char** argv) {
  return wyvern::run(argc, argv, [](wyvern::Runtime& runtime) {
    auto tasks = runtime.make_queue<int>();
    auto results = runtime.make_queue<int>();
    std::vector<wyvern::Process> workers;
    for (int i = 0; i < 8; ++i) {
      workers.push_back(runtime.process(work, tasks, results));
      workers.back().start();
    }

    for (int task = 1; task <= 20; ++task) tasks.put(task);
    const auto lost = tasks.join();  // when each was done
    int sum = 0;
    while (const auto result = results.try_get()) sum += *result;
    std::cout << "sum of squares " << sum << ", tasks lost " << lost << std::endl;

    tasks.close();
    wyvern::wait_all(workers);
  });
}
