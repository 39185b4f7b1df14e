// What is too large for the small container that this runs in: a queue, a message, and many messages that
// would each fit. For each the error is printed; what went in before is not harmed.
#include <iostream>
#include <string>

#include <wyvern/wyvern.hpp>

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

void play(wyvern::Runtime& runtime) {
  try {
    runtime.make_queue<std::string>({.capacity = 131'072, .inline_size = 4096});
  } catch (const wyvern::OutOfMemory& error) {
    std::cout << "queue: " << error.what() << std::endl;
  }
  auto queue = runtime.make_queue<std::string>({.capacity = 1024, .max_bytes = 1024 * mebibyte});
  try {
    queue.channel().loan(40 * mebibyte);
  } catch (const wyvern::TooLarge& error) {
    std::cout << "message: " << error.what() << std::endl;
  }
  std::size_t in = 0;
  const std::string large(mebibyte, 'm');
  try {
    for (; in < 64; ++in) queue.put(large);
  } catch (const wyvern::OutOfMemory& error) {
    std::cout << "messages: " << error.what() << std::endl;
  }
  std::size_t out = 0;
  while (queue.try_get() == large) ++out;
  queue.put("small");
  std::cout << out - in << " messages lost, then " << queue.get() << std::endl;
}

}  // namespace

int main(int argc, char** argv) { return wyvern::run(argc, argv, play); }
