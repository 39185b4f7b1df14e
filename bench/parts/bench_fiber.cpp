// What fibers cost, beside Boost.Fiber in the same run.
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/operations.hpp>

#include <wyvern/core/fiber/fiber.hpp>
#include <wyvern/core/wait.hpp>

#include "support/local_node.hpp"

namespace {

/// Two fibers that yield to each other: each iteration is a switch there and one back.
void switch_of_two(benchmark::State& state) {
  bool over = false;
  wyvern::Fiber other([&over] {
    while (!over) wyvern::this_fiber::yield();
  });
  wyvern::Fiber measured([&] {
    for (auto _ : state) wyvern::this_fiber::yield();
    over = true;
  });
  measured.join();
}
BENCHMARK(switch_of_two)->Name("switch");

void boost_fiber_switch(benchmark::State& state) {
  bool over = false;
  boost::fibers::fiber other([&over] {
    while (!over) boost::this_fiber::yield();
  });
  boost::fibers::fiber measured([&] {
    for (auto _ : state) boost::this_fiber::yield();
    over = true;
  });
  measured.join();
  other.join();
}
BENCHMARK(boost_fiber_switch);

/// A fiber that is made, runs, and is joined.
void spawn(benchmark::State& state) {
  std::uint64_t runs = 0;
  for (auto _ : state) wyvern::Fiber([&runs] { ++runs; }).join();
  benchmark::DoNotOptimize(runs);
}
BENCHMARK(spawn);

void boost_fiber_spawn(benchmark::State& state) {
  std::uint64_t runs = 0;
  for (auto _ : state) boost::fibers::fiber([&runs] { ++runs; }).join();
  benchmark::DoNotOptimize(runs);
}
BENCHMARK(boost_fiber_spawn);

/// A place where fibers wait for tokens.
struct Tokens {
  wyvern::WaiterSet waiters{};
  std::atomic<std::uint64_t> count{0};

  void take(const std::shared_ptr<wyvern::Member>& member) {
    const auto any = [this] { return count.load(std::memory_order_seq_cst) != 0; };
    const std::uint64_t interest = wyvern::make_interest(wyvern::InterestKind::message, 1);
    while (!any()) wyvern::wait_until(member, interest, &waiters, any, wyvern::WaitLimit::never());
    count.fetch_sub(1, std::memory_order_relaxed);
  }
  void put(const wyvern::Segment& segment) {
    count.fetch_add(1, std::memory_order_seq_cst);
    waiters.wake_one(segment);
  }
};

/// Fibers that take tokens until there are enough, one or more at each place; a token for one place after the
/// other, each when the last has been taken. An iteration is a wake-up and the way back to the waker.
void wake_among(benchmark::State& state, std::size_t places, std::size_t fibers_at_each) {
  wyvern::test::LocalNode node;
  const auto member = node.join();
  std::vector<Tokens> tokens(places);
  std::uint64_t taken = 0;
  bool over = false;
  std::vector<wyvern::Fiber<>> fibers;
  for (std::size_t i = 0; i < places * fibers_at_each; ++i) {
    fibers.emplace_back([&, &mine = tokens[i % places]] {
      while (true) {
        mine.take(member);
        if (over) return;
        ++taken;
      }
    });
  }
  wyvern::this_fiber::yield();  // all of them wait
  std::uint64_t put = 0;
  for (auto _ : state) {
    tokens[put % places].put(node.segment());
    ++put;
    while (taken != put) wyvern::this_fiber::yield();
  }
  over = true;
  for (Tokens& place : tokens) {
    place.count += fibers_at_each;
    place.waiters.wake_all(node.segment());
  }
}
void wake(benchmark::State& state) { wake_among(state, 1, 1); }
BENCHMARK(wake);
void wake_among_many_at_a_place(benchmark::State& state) {
  wake_among(state, 1, static_cast<std::size_t>(state.range(0)));
}
BENCHMARK(wake_among_many_at_a_place)->Arg(100)->Arg(10'000);
void wake_among_many_places(benchmark::State& state) {
  wake_among(state, static_cast<std::size_t>(state.range(0)), 1);
}
BENCHMARK(wake_among_many_places)->Arg(100)->Arg(10'000);

}  // namespace
