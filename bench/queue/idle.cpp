#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <wyvern/wyvern.hpp>

#include "bench/common/clock.hpp"
#include "bench/queue/benchmarks.hpp"

namespace wyvern::bench {
namespace {

int block_in_get(Channel channel, Queue<std::uint32_t> ready) {
  ready.put(static_cast<std::uint32_t>(::getpid()));
  try {
    channel.get();
  } catch (const QueueClosed&) {
    return 0;
  }
  return 1;
}

/// CPU time of all threads of a process, in nanoseconds.
std::uint64_t cpu_ns(std::uint32_t process) {
  std::uint64_t sum = 0;
  for (const auto& thread :
       std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
    std::uint64_t nanoseconds = 0;
    std::ifstream(thread.path() / "schedstat") >> nanoseconds;
    sum += nanoseconds;
  }
  return sum;
}

std::uint64_t cpu_ns(const std::vector<std::uint32_t>& processes) {
  std::uint64_t sum = 0;
  for (const std::uint32_t process : processes) sum += cpu_ns(process);
  return sum;
}

}  // namespace

std::vector<Row> measure_idle(const Run& run) {
  auto channel = run.runtime.make_channel();
  auto ready = run.runtime.make_queue<std::uint32_t>();
  std::vector<Process> consumers;
  for (std::uint32_t i = 0; i < run.options.consumers; ++i) {
    consumers.push_back(run.runtime.process({.node = run.runtime.node()}, block_in_get, channel, ready));
    consumers.back().start();
  }
  std::vector<std::uint32_t> processes = {Member::current()->segment().header().agent_pid};
  for (std::uint32_t i = 0; i < run.options.consumers; ++i) processes.push_back(ready.get());
  // Until the last of them sleeps: what it does before is not waiting.
  constexpr std::chrono::milliseconds settling{500};
  std::this_thread::sleep_for(settling);

  std::vector<Row> rows;
  for (std::uint32_t repetition = 0; repetition < run.options.repetitions; ++repetition) {
    run.progress.show("idle: repetition " + std::to_string(repetition + 1) + " of " +
                      std::to_string(run.options.repetitions));
    const std::uint64_t start = monotonic_ns();
    const std::uint64_t before = cpu_ns(processes);
    std::this_thread::sleep_for(std::chrono::duration<double>(run.options.seconds));
    const auto used = static_cast<double>(cpu_ns(processes) - before);
    rows.push_back({.benchmark = "idle",
                    .system = "wyvern",
                    .bytes = run.options.sizes.front(),
                    .producers = 0,
                    .consumers = run.options.consumers,
                    .repetition = repetition,
                    .cpu_percent = 100 * used / static_cast<double>(monotonic_ns() - start)});
  }
  channel.close();
  return rows;
}

}  // namespace wyvern::bench
