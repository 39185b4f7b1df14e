#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <wyvern/wyvern.hpp>

#include "bench/common/clock.hpp"
#include "bench/queue/benchmarks.hpp"

namespace wyvern::bench {
namespace {

/// A process, and the agent of its node.
struct Pids {
  std::uint32_t process = 0;
  std::uint32_t agent = 0;
};

int block_in_get(Channel channel, Queue<Pids> ready, std::uint32_t messages) {
  const std::vector<std::byte> message(8);
  for (std::uint32_t i = 0; i < messages; ++i) channel.put(message);
  for (std::uint32_t i = 0; i < messages; ++i) channel.get();
  ready.put({.process = static_cast<std::uint32_t>(::getpid()),
             .agent = Member::current()->segment().header().agent_pid});
  try {
    channel.get();
  } catch (const QueueClosed&) {
    return 0;
  }
  return 1;
}

std::uint32_t parent_of(std::uint32_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("PPid:")) return static_cast<std::uint32_t>(std::stoul(line.substr(5)));
  }
  return 0;
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

std::uint64_t cpu_ns(const std::set<std::uint32_t>& processes) {
  std::uint64_t sum = 0;
  for (const std::uint32_t process : processes) sum += cpu_ns(process);
  return sum;
}

/// Consumers that will sleep, and where.
class Sleepers {
 public:
  explicit Sleepers(const Run& run) : ready_(run.runtime.make_queue<Pids>()) {
    run.options.is_far() ? spread(run) : gather(run);
    const std::uint32_t head_agent = Member::current()->segment().header().agent_pid;
    pids_ = {head_agent};
    if (run.options.is_far()) pids_.insert({static_cast<std::uint32_t>(::getpid()), parent_of(head_agent)});
    for (std::size_t i = 0; i < consumers_.size(); ++i) {
      const Pids seen = ready_.get();
      pids_.insert({seen.process, seen.agent});
    }
  }
  ~Sleepers() {
    for (const Channel& channel : channels_) channel.close();
  }
  Sleepers(const Sleepers&) = delete;
  Sleepers& operator=(const Sleepers&) = delete;

  /// Theirs, and those of the agents; of a job of several nodes also the head's and the launcher's.
  const std::set<std::uint32_t>& pids() const { return pids_; }

 private:
  /// On this node, at one queue.
  void gather(const Run& run) {
    channels_ = {run.runtime.make_channel()};
    for (std::uint32_t i = 0; i < run.options.consumers; ++i)
      start(run, run.runtime.node(), channels_.front(), 0);
  }
  /// On all nodes, each at a queue of another.
  void spread(const Run& run) {
    constexpr std::uint32_t messages = 1000;
    const std::uint32_t nodes = run.options.nodes();
    for (std::uint32_t i = 0; i < run.options.consumers; ++i) {
      const std::uint32_t node = i % nodes;
      const std::uint32_t home = (node + 1 + i / nodes % (nodes - 1)) % nodes;
      channels_.push_back(run.runtime.make_channel({.node = 1 + home}));
      start(run, 1 + node, channels_.back(), messages);
    }
  }
  void start(const Run& run, std::uint32_t node, const Channel& channel, std::uint32_t messages) {
    consumers_.push_back(run.runtime.process({.node = node}, block_in_get, channel, ready_, messages));
    consumers_.back().start();
  }

  Queue<Pids> ready_;
  std::vector<Process> consumers_;  // joined when the channels are closed
  std::vector<Channel> channels_;
  std::set<std::uint32_t> pids_;
};

}  // namespace

std::vector<Row> measure_idle(const Run& run) {
  const Sleepers sleepers(run);
  // Until the last of them sleeps: what it does before is not waiting.
  constexpr std::chrono::milliseconds settling{500};
  std::this_thread::sleep_for(settling);

  std::vector<Row> rows;
  for (std::uint32_t repetition = 0; repetition < run.options.repetitions; ++repetition) {
    run.progress.show("idle: repetition " + std::to_string(repetition + 1) + " of " +
                      std::to_string(run.options.repetitions));
    const std::uint64_t start = monotonic_ns();
    const std::uint64_t before = cpu_ns(sleepers.pids());
    std::this_thread::sleep_for(std::chrono::duration<double>(run.options.seconds));
    const auto used = static_cast<double>(cpu_ns(sleepers.pids()) - before);
    rows.push_back({.benchmark = "idle",
                    .system = "wyvern",
                    .bytes = run.options.sizes.front(),
                    .producers = 0,
                    .consumers = run.options.consumers,
                    .repetition = repetition,
                    .cpu_percent = 100 * used / static_cast<double>(monotonic_ns() - start)});
  }
  return rows;
}

}  // namespace wyvern::bench
