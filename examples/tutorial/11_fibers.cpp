// Many calls that block, on one thread: where a fiber waits, the others go on.
#include <iostream>
#include <string>
#include <vector>

#include <wyvern/wyvern.hpp>

void square(wyvern::Queue<int> from, wyvern::Queue<int> to) {
  for (const int number : from) to.put(number * number);
}

int main(int argc, char** argv) {
  return wyvern::run(argc, argv, [](wyvern::Runtime& runtime) {
    auto numbers = runtime.make_queue<int>({.capacity = 8});
    auto squares = runtime.make_queue<int>({.capacity = 8});
    auto process = runtime.process(square, numbers, squares);
    process.start();

    // Neither could come to its end without the other: the queues are much too small.
    wyvern::Fiber feeder([numbers] {
      for (int number = 1; number <= 1000; ++number) numbers.put(number);
      numbers.close();
    });
    wyvern::Fiber reader([squares] {
      long sum = 0;
      for (int i = 0; i < 1000; ++i) sum += squares.get();
      return sum;
    });
    std::cout << "sum of squares " << reader.join() << std::endl;
    feeder.join();
  });
}
