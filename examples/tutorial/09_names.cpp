// A queue with a name is found by every process of the job: who asks need not know who answers.
#include <iostream>
#include <string>

#include <wyvern/wyvern.hpp>

struct Request {
  int number;
  wyvern::Producer<int> reply_to;
};

void serve() {
  auto requests = wyvern::this_process::runtime().make_queue<Request>({.name = "doubling"});
  for (auto& [number, reply_to] : requests) reply_to.put(2 * number);
}

void ask(int number) {
  auto runtime = wyvern::this_process::runtime();
  auto requests = runtime.open_queue<Request>("doubling");  // waits until there is one
  auto replies = runtime.make_queue<int>();
  requests.put({number, replies.producer()});
  std::cout << "twice " << number << " is " << replies.get() << std::endl;
}

int main(int argc, char** argv) {
  return wyvern::run(argc, argv, [](wyvern::Runtime& runtime) {
    auto server = runtime.process(serve);
    server.start();
    for (int number = 1; number <= 3; ++number) {
      auto client = runtime.process(ask, number);
      client.start();
      client.join();
    }
    runtime.open_queue<Request>("doubling").close();
  });
}
