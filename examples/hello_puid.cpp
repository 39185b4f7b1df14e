#include <iostream>
#include <string>

#include <wyvern/wyvern.hpp>

void greet(wyvern::Queue<std::string> replies) {
  std::cout << "I am process " << wyvern::this_process::puid() << std::endl;
  replies.put("hello from " + to_string(wyvern::this_process::puid()));
}

int main(int argc, char** argv) {
  return wyvern::run(argc, argv, [](wyvern::Runtime& runtime) {
    auto replies = runtime.make_queue<std::string>();
    auto process = runtime.process(greet, replies);
    process.start();
    std::cout << replies.get() << std::endl;
  });
}
