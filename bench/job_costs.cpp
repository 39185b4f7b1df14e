// What a job costs besides its messages: starting processes, and waiting.
//   job_costs start [PROCESSES=64] [REPETITIONS=5]
//     starts that many, each gets one message and ends; all are joined
//   job_costs rate [PROCESSES=10000] [AT_ONCE=64]
//     starts and joins that many, so many of them at once; what the agent has of descriptors and memory
//     before and after
//   job_costs idle [CONSUMERS=16] [SECONDS=10]
//     CPU time of that many blocked in get, and of the agent
//   wyvern run --nodes 2 -- job_costs held [PRODUCERS=64] [BYTES=64] [WINDOW=2048]
//     memory of the agent of node 1 when that many of node 2 block, because nobody reads what they put

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <sstream>
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

/// MiB of a process, as the kernel counts them.
struct Memory {
  double all = 0;
  double anonymous = 0;
  double shared = 0;

  std::string text() const {
    std::ostringstream out;
    out << std::fixed << std::setprecision(1) << all << " MiB (anonymous " << anonymous << ", shared "
        << shared << ")";
    return out.str();
  }
};

Memory memory_of(std::uint32_t os_pid) {
  Memory memory;
  std::ifstream status("/proc/" + std::to_string(os_pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    const auto read = [&](std::string_view name, double& value) {
      if (line.starts_with(name)) value = std::stod(line.substr(name.size())) / 1024;
    };
    read("VmRSS:", memory.all);
    read("RssAnon:", memory.anonymous);
    read("RssShmem:", memory.shared);
  }
  return memory;
}

std::size_t descriptors_of(std::uint32_t os_pid) {
  const std::filesystem::directory_iterator open("/proc/" + std::to_string(os_pid) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(open), end(open)));
}

/// Each takes the place of the one that was started first.
void start_and_join(wyvern::Runtime& runtime, std::uint64_t processes, std::uint64_t at_once) {
  std::vector<wyvern::Process> running;
  for (std::uint64_t i = 0; i < at_once; ++i) running.push_back(runtime.process([] {}));
  for (std::uint64_t i = 0; i < processes; ++i) {
    running[i % at_once] = runtime.process([] {});
    running[i % at_once].start();
  }
}

void rate(wyvern::Runtime& runtime, std::uint64_t processes, std::uint64_t at_once) {
  const std::uint32_t agent = wyvern::Member::current()->segment().header().agent_pid;
  start_and_join(runtime, at_once, at_once);  // what is made once
  const std::size_t descriptors = descriptors_of(agent);
  const Memory memory = memory_of(agent);
  const double agent_cpu = cpu_ms_of(agent);
  const auto begin = std::chrono::steady_clock::now();
  start_and_join(runtime, processes, at_once);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  const double cpu_each = (cpu_ms_of(agent) - agent_cpu) / static_cast<double>(processes);
  std::cout << processes << " processes started and joined, " << at_once
            << " at once: " << static_cast<double>(processes) / taken.count() << " a second; the agent takes "
            << cpu_each << " ms of CPU for each, had " << descriptors << " descriptors and " << memory.text()
            << " before, has " << descriptors_of(agent) << " and " << memory_of(agent).text() << " after"
            << std::endl;
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

/// When it has hardly changed for a second: the network's buffers are touched one after another.
Memory settled_memory_of(std::uint32_t os_pid) {
  Memory before = memory_of(os_pid);
  while (true) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    const Memory now = memory_of(os_pid);
    if (now.all < before.all + 0.25) return now;
    before = now;
  }
}

void put_until_closed(wyvern::Channel channel, wyvern::Queue<bool> connected, wyvern::Queue<bool> begin,
                      std::uint64_t bytes) {
  connected.put(true);
  begin.get();
  const std::vector<std::byte> message(bytes);
  try {
    while (true) channel.put(message);
  } catch (const wyvern::QueueClosed&) {
  }
}

void held(wyvern::Runtime& runtime, std::uint64_t producers, std::uint64_t bytes, std::uint64_t window) {
  auto channel = runtime.make_channel({.capacity = 1, .window = static_cast<std::uint32_t>(window)});
  auto connected = runtime.make_queue<bool>();
  auto begin = runtime.make_queue<bool>();
  const std::uint32_t agent = wyvern::Member::current()->segment().header().agent_pid;
  const Memory before = settled_memory_of(agent);
  std::vector<wyvern::Process> started;
  for (std::uint64_t i = 0; i < producers; ++i) {
    started.push_back(runtime.process({.node = 2}, put_until_closed, channel, connected, begin, bytes));
    started.back().start();
  }
  for (std::uint64_t i = 0; i < producers; ++i) connected.get();
  const Memory idle = settled_memory_of(agent);
  for (std::uint64_t i = 0; i < producers; ++i) begin.put(true);
  const Memory blocked = settled_memory_of(agent);
  channel.close();
  std::cout << producers << " producers of another node, messages of " << bytes << " bytes, window " << window
            << ": the agent has " << before.text() << " before, " << idle.text()
            << " when all are connected, " << blocked.text() << " when all are blocked" << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what != "start" && what != "rate" && what != "idle" && what != "held") {
    std::cerr << "usage: job_costs start [PROCESSES] [REPETITIONS] | rate [PROCESSES] [AT_ONCE] | idle "
                 "[CONSUMERS] [SECONDS] | held [PRODUCERS] [BYTES] [WINDOW]\n";
    return 2;
  }
  const auto number = [&](int position, std::uint64_t otherwise) {
    return argc > position ? std::max<std::uint64_t>(std::stoull(argv[position]), 1) : otherwise;
  };
  return wyvern::run(argc, argv, [&](wyvern::Runtime& runtime) {
    if (what == "start") {
      start(runtime, number(2, 64), number(3, 5));
    } else if (what == "rate") {
      rate(runtime, number(2, 10000), number(3, 64));
    } else if (what == "held") {
      held(runtime, number(2, 64), number(3, 64), number(4, wyvern::default_window));
    } else {
      idle(runtime, number(2, 16), number(3, 10));
    }
  });
}
