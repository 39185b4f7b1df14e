// What sleeping and waking cost: the parts that every wait and every wake-up pays for.
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include <benchmark/benchmark.h>

#include <wyvern/core/futex.hpp>
#include <wyvern/core/parker.hpp>
#include <wyvern/core/waiter_set.hpp>

#include "support/local_node.hpp"

namespace {

struct Bench {
  wyvern::test::LocalNode node;
  std::shared_ptr<wyvern::Member> member = node.join();
  wyvern::Parker& parker = wyvern::Parker::mine(member);
};

/// A wait whose condition came true before it slept.
void prepare_and_finish(benchmark::State& state) {
  Bench bench;
  for (auto _ : state) {
    bench.parker.prepare(wyvern::make_interest(wyvern::InterestKind::message, 1));
    benchmark::DoNotOptimize(bench.parker.finish());
  }
}
BENCHMARK(prepare_and_finish);

void register_and_remove(benchmark::State& state) {
  Bench bench;
  wyvern::WaiterSet waiters{};
  for (auto _ : state) {
    waiters.add(bench.parker.index());
    waiters.remove(bench.parker.index());
  }
}
BENCHMARK(register_and_remove);

/// What a put costs for wake-ups while nobody has slept yet.
void wake_nobody(benchmark::State& state) {
  Bench bench;
  wyvern::WaiterSet waiters{};
  for (auto _ : state) waiters.wake_one(bench.node.segment());
}
BENCHMARK(wake_nobody);

/// The same when somebody has slept once, until the agent tidies up.
void wake_nobody_any_more(benchmark::State& state) {
  Bench bench;
  wyvern::WaiterSet waiters{};
  waiters.add(bench.parker.index());
  waiters.remove(bench.parker.index());
  for (auto _ : state) waiters.wake_one(bench.node.segment());
}
BENCHMARK(wake_nobody_any_more);

void notify_of_one_awake(benchmark::State& state) {
  Bench bench;
  for (auto _ : state) benchmark::DoNotOptimize(wyvern::notify(bench.parker.cell()));
}
BENCHMARK(notify_of_one_awake);

/// Two threads that wake each other: a round trip is two wake-ups.
void futex_round_trip(benchmark::State& state) {
  std::atomic<std::uint32_t> word{0};  // odd: the other thread's turn
  std::atomic<bool> over{false};
  const auto await_turn = [&word](std::uint32_t parity) {
    for (std::uint32_t seen = word.load(); seen % 2 != parity; seen = word.load()) {
      wyvern::futex_wait(word, seen, wyvern::Deadline::never());
    }
  };
  const auto pass_turn = [&word] {
    word.fetch_add(1);
    wyvern::futex_wake(word, 1);
  };
  std::jthread other([&] {
    while (true) {
      await_turn(1);
      if (over) return;
      pass_turn();
    }
  });
  for (auto _ : state) {
    pass_turn();
    await_turn(0);
  }
  over = true;
  pass_turn();
}
BENCHMARK(futex_round_trip)->UseRealTime();

}  // namespace
