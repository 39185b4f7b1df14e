// How long a message takes from one process to another: two processes send one to and fro through two queues.
// Usage: ping_pong [--count ROUND_TRIPS]
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <string_view>
#include <vector>

#include <wyvern/wyvern.hpp>

using Ball = std::uint64_t;
using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

constexpr int warm_up = 1000;

void pong(wyvern::Queue<Ball> pings, wyvern::Queue<Ball> pongs) {
  for (Ball ball : pings) pongs.put(ball);
}

void play(wyvern::Runtime& runtime, std::size_t count) {
  auto pings = runtime.make_queue<Ball>();
  auto pongs = runtime.make_queue<Ball>();
  auto partner = runtime.process(pong, pings, pongs);
  partner.start();

  const auto round_trip = [&](Ball ball) {
    pings.put(ball);
    return pongs.get();
  };
  for (Ball ball = 0; ball < warm_up; ++ball) round_trip(ball);
  std::vector<Microseconds> one_way(count);
  for (auto& time : one_way) {
    const auto start = Clock::now();
    round_trip(0);
    time = (Clock::now() - start) / 2;
  }
  pings.close();

  std::sort(one_way.begin(), one_way.end());
  std::cout << std::fixed << std::setprecision(3) << count << " round trips of " << sizeof(Ball)
            << " bytes between two processes; one way: median " << one_way[count / 2].count() << " us, p99 "
            << one_way[count * 99 / 100].count() << " us" << std::endl;
}

int main(int argc, char** argv) {
  std::size_t count = 10'000;
  if (argc == 3 && std::string_view(argv[1]) == "--count") {
    const std::string_view text = argv[2];
    const auto [end, error] = std::from_chars(text.begin(), text.end(), count);
    if (error != std::errc() || end != text.end()) count = 0;
  } else if (argc != 1) {
    count = 0;
  }
  if (count == 0) {
    std::cerr << "usage: ping_pong [--count ROUND_TRIPS], with at least 1\n";
    return 2;
  }
  return wyvern::run(argc, argv, [count](wyvern::Runtime& runtime) { play(runtime, count); });
}
