// A program of two processes: the head, in which what is given to wyvern::run runs, and one that it starts.
#include <iostream>
#include <string>

#include <wyvern/wyvern.hpp>

int greet(std::string whom) {
  std::cout << "Hello, " << whom << ", from a process of its own" << std::endl;
  return 42;
}

int main(int argc, char** argv) {
  return wyvern::run(argc, argv, [](wyvern::Runtime& runtime) {
    auto process = runtime.process(greet, std::string("reader"));
    process.start();
    const int status = process.join();
    std::cout << "It has ended with status " << status << std::endl;
  });
}
