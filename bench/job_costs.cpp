// What a job costs besides its messages: starting processes, and waiting.
//   job_costs start [PROCESSES=64] [REPETITIONS=5]   starts that many, each gets one message and ends; all
//   are joined job_costs idle [CONSUMERS=16] [SECONDS=10]       CPU time of that many blocked in get, and of
//   the agent

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <wyvern/wyvern.hpp>

namespace {

double cpu_ms_of_this_process() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

/// CPU time of another process, from its scheduler statistics.
double cpu_ms_of(std::uint32_t os_pid) {
  std::uint64_t nanoseconds = 0;
  std::ifstream("/proc/" + std::to_string(os_pid) + "/schedstat") >> nanoseconds;
  return static_cast<double>(nanoseconds) / 1e6;
}

void get_one(wyvern::Queue<std::uint64_t> queue) { queue.get(); }

void start(wyvern::Runtime& runtime, std::uint64_t processes, std::uint64_t repetitions) {
  std::vector<double> milliseconds;
  for (std::uint64_t repetition = 0; repetition < repetitions; ++repetition) {
    auto queue = runtime.make_queue<std::uint64_t>();
    for (std::uint64_t i = 0; i < processes; ++i) queue.put(i);
    const auto begin = std::chrono::steady_clock::now();
    std::vector<wyvern::Process> started;
    for (std::uint64_t i = 0; i < processes; ++i) {
      started.push_back(runtime.process(get_one, queue));
      started.back().start();
    }
    for (auto& process : started) process.join();
    milliseconds.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  std::cout << processes << " processes started, attached, one get each, joined: median "
            << milliseconds[repetitions / 2] << " ms, " << milliseconds.front() << " to "
            << milliseconds.back() << " ms" << std::endl;
}

void wait_for_message(wyvern::Queue<std::uint64_t> queue, wyvern::Queue<bool> ready,
                      wyvern::Queue<double> costs) {
  ready.put(true);
  const double before = cpu_ms_of_this_process();
  queue.get();
  costs.put(cpu_ms_of_this_process() - before);
}

void idle(wyvern::Runtime& runtime, std::uint64_t consumers, std::uint64_t seconds) {
  auto queue = runtime.make_queue<std::uint64_t>();
  auto ready = runtime.make_queue<bool>();
  auto costs = runtime.make_queue<double>();
  std::vector<wyvern::Process> started;
  for (std::uint64_t i = 0; i < consumers; ++i) {
    started.push_back(runtime.process(wait_for_message, queue, ready, costs));
    started.back().start();
  }
  for (std::uint64_t i = 0; i < consumers; ++i) ready.get();
  const std::uint32_t agent = wyvern::Member::current()->segment().header().agent_pid;
  const double agent_before = cpu_ms_of(agent);
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  const double agent_cost = cpu_ms_of(agent) - agent_before;
  for (std::uint64_t i = 0; i < consumers; ++i) queue.put(i);
  double consumer_cost = 0;
  for (std::uint64_t i = 0; i < consumers; ++i) consumer_cost += costs.get();
  std::cout << consumers << " consumers blocked in get for " << seconds << " s: " << consumer_cost
            << " ms of CPU, the agent " << agent_cost << " ms" << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what != "start" && what != "idle") {
    std::cerr << "usage: job_costs start [PROCESSES] [REPETITIONS] | idle [CONSUMERS] [SECONDS]\n";
    return 2;
  }
  const auto number = [&](int position, std::uint64_t otherwise) {
    return argc > position ? std::max<std::uint64_t>(std::stoull(argv[position]), 1) : otherwise;
  };
  return wyvern::run(argc, argv, [&](wyvern::Runtime& runtime) {
    if (what == "start") {
      start(runtime, number(2, 64), number(3, 5));
    } else {
      idle(runtime, number(2, 16), number(3, 10));
    }
  });
}
