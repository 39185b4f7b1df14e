// A message that is leased survives who works on it.
#include <csignal>
#include <iostream>
#include <string>

#include <wyvern/wyvern.hpp>

void work(wyvern::Queue<std::string> tasks, wyvern::Queue<std::string> results) {
  auto task = tasks.lease();
  if (task.delivery_count() == 0) std::raise(SIGKILL);  // as if it had crashed
  results.put(*task + " was done at attempt " + std::to_string(task.delivery_count() + 1));
  results.flush();
  task.done();  // without this it would be back in the queue
}

int main(int argc, char** argv) {
  return wyvern::run(argc, argv, [](wyvern::Runtime& runtime) {
    auto tasks = runtime.make_queue<std::string>();
    auto results = runtime.make_queue<std::string>();
    tasks.put("the task");
    for (int attempt = 1; attempt <= 2; ++attempt) {
      auto worker = runtime.process(work, tasks, results);
      worker.start();
      std::cout << "worker " << attempt << " has ended with status " << worker.join() << std::endl;
    }
    std::cout << results.get() << std::endl;
  });
}
