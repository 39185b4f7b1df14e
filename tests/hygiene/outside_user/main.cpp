// A program of somebody else's: its own operation travels in a message to a process that does not name it.
#include <string>

#include <wyvern/wyvern.hpp>

using Operation = wyvern::Function<std::string(std::string)>;

void apply(wyvern::Queue<Operation> operations, wyvern::Queue<std::string> results) {
  results.put(operations.get()("outside"));
}

int main(int argc, char** argv) {
  return wyvern::run(argc, argv, [](wyvern::Runtime& runtime) {
    auto operations = runtime.make_queue<Operation>();
    auto results = runtime.make_queue<std::string>();
    auto process = runtime.process(apply, operations, results);
    process.start();
    operations.put([](std::string text) { return std::string(text.rbegin(), text.rend()); });
    return results.get() == "edistuo" ? 0 : 1;
  });
}
