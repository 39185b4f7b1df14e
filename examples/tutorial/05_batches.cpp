// Many small messages at a time.
#include <cstddef>
#include <iostream>
#include <numeric>
#include <vector>

#include <wyvern/wyvern.hpp>

void measure(wyvern::Queue<int> values) {
  std::vector<int> hundred(100);
  for (int first = 0; first < 1000; first += 100) {
    std::iota(hundred.begin(), hundred.end(), first);
    values.put_many(hundred);  // waits for room as often as it must
  }
  values.close();
}

int main(int argc, char** argv) {
  return wyvern::run(argc, argv, [](wyvern::Runtime& runtime) {
    auto values = runtime.make_queue<int>({.capacity = 64});
    auto process = runtime.process(measure, values);
    process.start();

    std::size_t count = 0;
    int sum = 0;
    try {
      while (true) {
        const std::vector<int> some = values.get_many(32);  // one at least, and what else is there
        count += some.size();
        sum = std::accumulate(some.begin(), some.end(), sum);
      }
    } catch (const wyvern::QueueClosed&) {
      std::cout << count << " values, sum " << sum << std::endl;
    }
  });
}
