// Starts and joins many processes, so many of them at once: none of them leaves anything of itself in the
// agent or in the node's tables. usage: many_starts PROCESSES AT_ONCE

#include <signal.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <wyvern/wyvern.hpp>

namespace {

/// What a process could leave behind on its node, as this process sees it.
struct Kept {
  std::size_t descriptors = 0;  ///< of the agent
  std::size_t processes = 0;    ///< entries of the node's table
  std::size_t parkers = 0;

  bool is_at_most(const Kept& other) const {
    return descriptors <= other.descriptors && processes <= other.processes && parkers <= other.parkers;
  }
  std::string text() const {
    return std::to_string(descriptors) + " descriptors of the agent, " + std::to_string(processes) +
           " entries for processes, " + std::to_string(parkers) + " parkers";
  }
};

/// Sanitizers keep what was freed for a while, to find who uses it still: it would be taken for lost.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool keeps_freed_memory = true;
#else
constexpr bool keeps_freed_memory = false;
#endif

constexpr std::chrono::seconds only_what_hangs_takes{60};

std::uint32_t agent_pid() { return wyvern::Member::current()->segment().header().agent_pid; }

Kept kept() {
  const wyvern::Segment& segment = wyvern::Member::current()->segment();
  const std::filesystem::directory_iterator open("/proc/" + std::to_string(agent_pid()) + "/fd");
  Kept now{.descriptors = static_cast<std::size_t>(std::distance(begin(open), end(open)))};
  for (std::uint32_t i = 0; i < wyvern::max_processes; ++i)
    now.processes += segment.process(i).puid.load() != 0;
  for (std::uint32_t i = 0; i < wyvern::max_parkers; ++i) now.parkers += segment.parker(i).owner.load() != 0;
  return now;
}

/// KiB of the agent's own memory, without what it shares with others.
std::uint64_t agent_memory() {
  std::ifstream status("/proc/" + std::to_string(agent_pid()) + "/status");
  const std::string wanted = "RssAnon:";
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(wanted)) return std::stoull(line.substr(wanted.size()));
  }
  return 0;
}

/// Of seven, some end with a status of their own, by a signal, or printing what nobody reads; some are
/// another program, or cannot be started.
wyvern::Process process_of(const wyvern::Runtime& runtime, std::uint64_t number) {
  switch (number % 7) {
    case 1: return runtime.process([] { return 42; });
    case 2: return runtime.process([] { ::raise(SIGKILL); });
    case 3: return runtime.program("true");
    case 4: return runtime.process({.output = wyvern::StandardStream::file("/nowhere/file")}, [] {});
    case 5: return runtime.process({.output = wyvern::StandardStream::piped()}, [] { std::cout << "x\n"; });
    default: return runtime.process([] {});
  }
}

int status_of(std::uint64_t number) { return number % 7 == 1 ? 42 : number % 7 == 2 ? -SIGKILL : 0; }

/// How many did not end as they should.
std::uint64_t start_and_join(const wyvern::Runtime& runtime, std::uint64_t processes, std::uint64_t at_once) {
  std::uint64_t wrong = 0;
  std::vector<wyvern::Process> running;
  std::vector<std::uint64_t> numbers;
  const auto join_all = [&] {
    const std::vector<int> statuses = wyvern::wait_all(running);
    for (std::size_t i = 0; i < statuses.size(); ++i) wrong += statuses[i] != status_of(numbers[i]) ? 1 : 0;
    running.clear();
    numbers.clear();
  };
  for (std::uint64_t i = 0; i < processes; ++i) {
    wyvern::Process process = process_of(runtime, i);
    try {
      process.start();
      running.push_back(std::move(process));
      numbers.push_back(i);
    } catch (const wyvern::SpawnFailed&) {
      wrong += i % 7 != 4 ? 1 : 0;
    }
    if (running.size() == at_once) join_all();
  }
  join_all();
  return wrong;
}

int many_starts(const wyvern::Runtime& runtime, std::uint64_t processes, std::uint64_t at_once) {
  // What is made once, and what the agent's memory grows to with so many at a time. This thread's place for
  // sleeping as well, if it never has to sleep before.
  wyvern::Parker::mine(wyvern::Member::current());
  std::uint64_t wrong = start_and_join(runtime, 4 * at_once, at_once);
  const Kept before = kept();
  const std::uint64_t memory_before = agent_memory();
  wrong += start_and_join(runtime, processes, at_once);
  if (wrong != 0) {
    std::cerr << wrong << " processes did not end as they should\n";
    return 1;
  }
  // The last connections end a moment after their processes; so it was before, too.
  std::cout << "before: " << before.text() << "\nafter: " << kept().text() << std::endl;
  const auto limit = std::chrono::steady_clock::now() + only_what_hangs_takes;
  while (!kept().is_at_most(before)) {
    if (std::chrono::steady_clock::now() > limit) {
      std::cerr << "it does not come down to what there was before: " << kept().text() << '\n';
      return 1;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  // A loss of 64 bytes for each would show; an exit record, which is kept, is in the segment.
  const std::uint64_t memory = agent_memory();
  const std::uint64_t allowed = 256 + processes * 64 / 1024;
  std::cout << processes << " processes, memory of the agent " << memory_before << " KiB, then " << memory
            << " KiB" << std::endl;
  return keeps_freed_memory || memory <= memory_before + allowed ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return wyvern::run(argc, argv, [&](wyvern::Runtime& runtime) {
    if (argc != 3) {
      std::cerr << "usage: many_starts PROCESSES AT_ONCE\n";
      return 2;
    }
    return many_starts(runtime, std::stoull(argv[1]), std::stoull(argv[2]));
  });
}
