// What a queue's operations cost one thread, without other processes: the length of the code, with every line
// in the cache.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include <wyvern/channels/channel.hpp>
#include <wyvern/channels/queue.hpp>

#include "support/local_node.hpp"

namespace {

using Value = std::array<std::byte, 64>;

/// A node in this process, a member of it, and a queue.
struct Bench {
  wyvern::test::LocalNode node;
  std::shared_ptr<wyvern::Member> member = node.join();
  wyvern::Queue<Value> queue{member, wyvern::QueueOptions{}};
  wyvern::Channel channel =
      wyvern::Channel::create(member, {}, wyvern::raw_bytes_type_hash, wyvern::raw_bytes_type_name);
};

void count(benchmark::State& state, std::int64_t messages_per_iteration, std::int64_t bytes) {
  state.SetItemsProcessed(state.iterations() * messages_per_iteration);
  state.SetBytesProcessed(state.iterations() * messages_per_iteration * bytes);
}

void put_and_take(benchmark::State& state) {
  Bench bench;
  const std::vector<std::byte> message(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    bench.channel.put(message);
    const auto taken = bench.channel.take();
    benchmark::DoNotOptimize(taken.bytes().data());
  }
  count(state, 1, state.range(0));
}
BENCHMARK(put_and_take)->Arg(8)->Arg(64)->Arg(256)->Arg(4096)->Arg(65536);

void put_and_get_value(benchmark::State& state) {
  Bench bench;
  Value value{};
  for (auto _ : state) {
    bench.queue.put(value);
    value = bench.queue.get();
    benchmark::DoNotOptimize(value);
  }
  count(state, 1, sizeof(Value));
}
BENCHMARK(put_and_get_value);

/// As when the queue is long: no operation meets a line that the one before it has used.
void put_512_then_get_512(benchmark::State& state) {
  constexpr int depth = 512;
  Bench bench;
  Value value{};
  for (auto _ : state) {
    for (int i = 0; i < depth; ++i) bench.queue.put(value);
    for (int i = 0; i < depth; ++i) value = bench.queue.get();
    benchmark::DoNotOptimize(value);
  }
  count(state, depth, sizeof(Value));
}
BENCHMARK(put_512_then_get_512);

void put_many_and_get_many(benchmark::State& state) {
  Bench bench;
  const std::vector<Value> values(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    bench.queue.put_many(values);
    const auto got = bench.queue.get_many(values.size());
    benchmark::DoNotOptimize(got.data());
  }
  count(state, state.range(0), sizeof(Value));
}
BENCHMARK(put_many_and_get_many)->Arg(1)->Arg(8)->Arg(32)->Arg(256);

void lease_and_done(benchmark::State& state) {
  Bench bench;
  const Value value{};
  for (auto _ : state) {
    bench.queue.put(value);
    auto lease = bench.queue.lease();
    benchmark::DoNotOptimize(&*lease);
    lease.done();
  }
  count(state, 1, sizeof(Value));
}
BENCHMARK(lease_and_done);

/// The bytes are not touched: what does it cost to hand them over?
void loan_and_take(benchmark::State& state) {
  Bench bench;
  for (auto _ : state) {
    auto loan = bench.channel.loan(static_cast<std::size_t>(state.range(0)));
    bench.channel.put(std::move(loan));
    const auto taken = bench.channel.take();
    benchmark::DoNotOptimize(taken.bytes().data());
  }
  count(state, 1, state.range(0));
}
BENCHMARK(loan_and_take)->Arg(64)->Arg(4096)->Arg(1 << 20);

}  // namespace
