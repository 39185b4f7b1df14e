// Two queues, and a process between them. A queue that was closed ends when it is empty.
#include <iostream>
#include <string>

#include <wyvern/wyvern.hpp>

void add_up(wyvern::Queue<int> numbers, wyvern::Queue<std::string> answers) {
  int sum = 0;
  for (const int number : numbers) sum += number;
  answers.put("the sum is " + std::to_string(sum));
}

int main(int argc, char** argv) {
  return wyvern::run(argc, argv, [](wyvern::Runtime& runtime) {
    auto numbers = runtime.make_queue<int>({.capacity = 4});
    auto answers = runtime.make_queue<std::string>();
    auto process = runtime.process(add_up, numbers, answers);
    process.start();

    for (int number = 1; number <= 100; ++number) numbers.put(number);  // waits while there are four
    numbers.close();
    std::cout << answers.get() << std::endl;
  });
}
