// Ranges of numbers are scattered over four processes, and what these find in them is gathered from two
// queues of different types: `select` takes from whichever has something, until both are closed.
#include <cstdint>
#include <iostream>
#include <vector>

#include <wyvern/wyvern.hpp>

constexpr std::uint64_t limit = 100'000;
constexpr std::uint64_t range_size = 1'000;

struct Range {
  std::uint64_t first;
  std::uint64_t last;
};

struct Gap {
  std::uint64_t after = 0;
  std::uint64_t size = 0;
};

bool is_prime(std::uint64_t number) {
  for (std::uint64_t divisor = 2; divisor * divisor <= number; ++divisor) {
    if (number % divisor == 0) return false;
  }
  return number > 1;
}

std::uint64_t next_prime(std::uint64_t number) {
  while (!is_prime(++number)) {
  }
  return number;
}

void search(wyvern::Consumer<Range> ranges, wyvern::Producer<std::uint64_t> counts,
            wyvern::Producer<Gap> gaps) {
  for (const Range& range : ranges) {
    std::uint64_t count = 0;
    Gap widest;
    for (auto prime = next_prime(range.first - 1); prime <= range.last; prime = next_prime(prime)) {
      const std::uint64_t size = next_prime(prime) - prime;
      if (size > widest.size) widest = {.after = prime, .size = size};
      ++count;
    }
    counts.put(count);
    gaps.put(widest);
  }
}

int main(int argc, char** argv) {
  return wyvern::run(argc, argv, [](wyvern::Runtime& runtime) {
    auto ranges = runtime.make_queue<Range>();
    auto counts = runtime.make_queue<std::uint64_t>();
    auto gaps = runtime.make_queue<Gap>();
    for (std::uint64_t first = 1; first < limit; first += range_size)
      ranges.put({.first = first, .last = first + range_size - 1});
    ranges.close();

    std::vector<wyvern::Process> searchers;
    for (int i = 0; i < 4; ++i) {
      searchers.push_back(runtime.process(search, ranges.consumer(), counts.producer(), gaps.producer()));
      searchers.back().start();
    }
    wyvern::Fiber<> closer([&] {
      for (auto& searcher : searchers) searcher.join();
      counts.close();
      gaps.close();
    });

    std::uint64_t primes = 0;
    Gap widest;
    try {
      while (true) {
        wyvern::select(wyvern::on(counts, [&](std::uint64_t count) { primes += count; }),
                       wyvern::on(gaps, [&](Gap gap) {
                         if (gap.size > widest.size) widest = gap;
                       }));
      }
    } catch (const wyvern::QueueClosed&) {
      std::cout << primes << " primes up to " << limit << ", the widest gap is " << widest.size << ", after "
                << widest.after << std::endl;
    }
  });
}
