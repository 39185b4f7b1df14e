// Eight producers and eight consumers on one queue, by copies, loans, batches and leases; every 20 ms one of
// the sixteen is killed with SIGKILL and a new one takes its place, and another one is always stopped, for
// two seconds at a time. The others must never stop; afterwards the history must be right and everything
// accounted for. In a job of several nodes the queue is on node 1, and they are on all.
// usage: kill_run [SECONDS=10] [WORKERS=8]

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <wyvern/core/object_hold.hpp>
#include <wyvern/wyvern.hpp>

#include "support/history.hpp"
#include "support/local_node.hpp"
#include "support/stamped.hpp"

namespace {

using wyvern::test::History;
using Clock = std::chrono::steady_clock;

constexpr std::size_t most_workers = 4096;
constexpr std::size_t most_gets = std::size_t{1} << 20;
constexpr std::chrono::milliseconds between_kills{20};
/// Between nodes: some 0.3 s pass until a process has come to the queue.
constexpr std::chrono::milliseconds between_far_kills{150};
constexpr std::chrono::seconds stop_time{2};
/// A pause that lets the history stay small; what is tested is not the rate.
constexpr std::chrono::microseconds producer_pause{100};
/// With nothing got for so long, the queue has stopped; what is not so after it will never be.
constexpr std::chrono::seconds stillness{20};

/// How workers put and take: each kind in turn, so that all of them meet.
enum class Way { one, in_place, batch, lease };
constexpr std::size_t ways = 4;
constexpr std::size_t batch_size = 8;
constexpr wyvern::test::HistoryRules rules{.at_once = batch_size, .leases = true};

/// Mostly small messages; some that need an extent, of several sizes.
std::size_t size_of(std::uint64_t sequence) {
  if (sequence % 16 != 0) return sizeof(wyvern::test::MessageId) + sequence % 200;
  return std::size_t{512} << (sequence / 16 % 8);
}

std::vector<std::byte> next_message(History::Writer& log) {
  const auto id = log.begin_put();
  return wyvern::test::make_stamped({wyvern::this_process::puid(), id.sequence}, size_of(id.sequence));
}

/// Whether puts return before the messages are in the queue.
bool runs_ahead(const wyvern::Channel& channel, Way way) {
  return channel.id().node() != wyvern::this_process::puid().node() && way != Way::batch;
}

void put_one(wyvern::Channel& channel, const std::vector<std::byte>& message, Way way) {
  if (way != Way::in_place) return channel.put(message);
  auto loan = channel.loan(message.size());
  std::copy(message.begin(), message.end(), loan.bytes().begin());
  channel.put(std::move(loan));
}

void put_some(wyvern::Channel& channel, History::Writer& log, Way way) {
  if (way == Way::batch) {
    std::vector<std::vector<std::byte>> messages;
    for (std::size_t i = 0; i < batch_size; ++i) messages.push_back(next_message(log));
    log.puts_ended(channel.put_many(messages));
    return;
  }
  const std::size_t count = runs_ahead(channel, way) ? batch_size : 1;
  for (std::size_t i = 0; i < count; ++i) put_one(channel, next_message(log), way);
  channel.flush();
  log.put_ended();
}

void take_some(wyvern::Channel& channel, History::Writer& log, Way way) {
  using wyvern::test::read_stamped;
  log.may_hold(way == Way::batch ? batch_size : 1);
  switch (way) {
    case Way::one: log.got(read_stamped(channel.get())); return;
    case Way::in_place: log.got(read_stamped(channel.take().bytes())); return;
    case Way::batch:
      for (const auto& message : channel.get_many(batch_size)) log.got(read_stamped(message));
      return;
    case Way::lease: {
      auto lease = channel.lease();
      const auto id = read_stamped(lease.bytes());
      lease.done();
      log.got(id);
      return;
    }
  }
}

void produce(wyvern::Channel channel, std::string history_file, std::size_t number) {
  History history(history_file, most_workers, most_gets);
  History::Writer log = history.writer(number);
  for (std::uint64_t turn = 0;; ++turn) {
    const auto way = static_cast<Way>((number + turn) % ways);
    try {
      put_some(channel, log, way);
    } catch (const wyvern::QueueClosed&) {
      return runs_ahead(channel, way) ? log.puts_undecided() : log.put_refused();
    }
    std::this_thread::sleep_for(producer_pause);
  }
}

/// Until the queue is closed and drained.
void consume(wyvern::Channel channel, std::string history_file, std::size_t number) {
  History history(history_file, most_workers, most_gets);
  History::Writer log = history.writer(number);
  try {
    for (std::uint64_t turn = 0; log.has_room_for(batch_size); ++turn)
      take_some(channel, log, static_cast<Way>((number + turn) % ways));
  } catch (const wyvern::QueueClosed&) {
  }
}

template <class Condition>
bool comes_true(Condition condition) {
  for (const auto end = Clock::now() + stillness; !condition();) {
    if (Clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

class Run {
 public:
  Run(wyvern::Runtime& runtime, std::string history_file, std::size_t workers)
      : runtime_(runtime),
        history_file_(std::move(history_file)),
        history_(history_file_, most_workers, most_gets),
        channel_(runtime.make_channel({.capacity = 64})) {
    for (std::size_t i = 0; i < workers; ++i) {
      workers_.push_back(start(2 * i));
      workers_.push_back(start(2 * i + 1));
    }
  }

  /// What failed is to be told: workers that wait for a queue that nobody closes would never be joined.
  ~Run() {
    for (auto& worker : workers_) {
      try {
        worker.kill();
      } catch (const wyvern::Error&) {
        // Of a node that is lost: its join ends as well.
      }
    }
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// Kills and replaces workers until the time is over; what went wrong, or nothing.
  std::string kill_for(std::chrono::seconds duration) {
    std::mt19937 random(std::random_device{}());
    Clock::time_point last_progress = Clock::now();
    std::uint64_t last_got = 0;
    stop_another(random);
    for (const auto end = Clock::now() + duration;
         Clock::now() < end && started_ < most_workers - workers_.size();) {
      std::this_thread::sleep_for(runtime_.nodes() == 1 ? between_kills : between_far_kills);
      if (Clock::now() > stopped_until_) {
        continue_stopped();
        stop_another(random);
      }
      std::size_t victim = random() % workers_.size();
      if (victim == stopped_) victim = (victim + 2) % workers_.size();
      history_.mark_killed(workers_[victim].puid());
      workers_[victim].kill();
      if (const int status = workers_[victim].join(); status != -SIGKILL) {
        return "a worker ended by itself with status " + std::to_string(status);
      }
      workers_[victim] = start(victim);
      ++killed_;
      if (const std::uint64_t got = history_.total_got(); got != last_got) {
        last_got = got;
        longest_stillness_ = std::max(longest_stillness_, Clock::now() - last_progress);
        last_progress = Clock::now();
      } else if (Clock::now() - last_progress > stillness) {
        return "nothing was got any more";
      }
    }
    return {};
  }

  /// Ends the workers and looks at what is left.
  std::string finish() {
    continue_stopped();
    channel_.close();
    for (auto& worker : workers_) {
      if (const int status = worker.join(); status != 0)
        return "a worker ended with status " + std::to_string(status);
    }
    workers_.clear();
    drain();
    return audit();
  }

  std::size_t killed() const { return killed_; }
  std::uint64_t got() const { return history_.total_got(); }
  /// With nothing got by anybody, as seen between kills.
  std::chrono::milliseconds longest_stillness() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(longest_stillness_);
  }

 private:
  /// What comes back when the last who died on other nodes are given up; ends when no lease is left.
  void drain() {
    history_.writer(started_).may_hold(0);
    History::Writer log = history_.add(wyvern::this_process::puid());
    try {
      while (true) {
        auto lease = channel_.lease();
        const auto id = wyvern::test::read_stamped(lease.bytes());
        lease.done();
        log.got(id);
      }
    } catch (const wyvern::QueueClosed&) {
    }
  }

  /// Waits until nobody is at work any more, the node's own threads included.
  std::string audit() {
    const auto& member = *wyvern::Member::current();
    const wyvern::Segment& segment = member.segment();
    const wyvern::ObjectReference queue = channel_.reference();
    const wyvern::DirectoryEntry& entry = segment.object(queue.index);
    if (!comes_true([&] { return !has_other_hold(entry, member.process_index()); }))
      return "the queue is held for somebody who has gone";
    if (const std::string wrong = history_.problems(rules); !wrong.empty()) return wrong;
    std::string wrong;
    comes_true([&] {
      wrong = wyvern::test::audit(segment, queue);
      if (wrong.empty()) wrong = wyvern::test::audit_node(segment);
      return wrong.empty();
    });
    if (!wrong.empty()) return wrong;
    channel_ = {};
    if (!comes_true([&] { return entry.id.load() != queue.id.value(); })) return "the queue does not go";
    return wyvern::test::audit_node(segment);
  }

  void stop_another(std::mt19937& random) {
    stopped_ = random() % workers_.size();
    workers_[stopped_].send_signal(SIGSTOP);
    stopped_until_ = Clock::now() + stop_time;
  }
  void continue_stopped() { workers_[stopped_].send_signal(SIGCONT); }

  /// Producers and consumers in turn, two after another on each node.
  wyvern::Process start(std::size_t place) {
    const std::uint32_t node = 1 + static_cast<std::uint32_t>(place / 2) % runtime_.nodes();
    history_.writer(started_).may_hold(0);
    auto process = runtime_.process({.node = node}, place % 2 == 0 ? produce : consume, channel_,
                                    history_file_, started_);
    process.start();
    history_.add(process.puid());
    ++started_;
    return process;
  }

  wyvern::Runtime& runtime_;
  std::string history_file_;
  History history_;
  wyvern::Channel channel_;
  std::vector<wyvern::Process> workers_;
  std::size_t started_ = 0;
  std::size_t killed_ = 0;
  std::size_t stopped_ = 0;
  Clock::time_point stopped_until_;
  Clock::duration longest_stillness_{0};
};

}  // namespace

int main(int argc, char** argv) {
  const std::chrono::seconds duration(argc > 1 ? std::atoi(argv[1]) : 10);
  const std::size_t workers = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 8;
  return wyvern::run(argc, argv, [&](wyvern::Runtime& runtime) {
    // Memory without a name that the workers reach through this process: nothing is left behind.
    const wyvern::FileDescriptor file(::memfd_create("history", MFD_CLOEXEC));
    Run run(runtime, "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(file.get()), workers);
    std::string wrong = run.kill_for(duration);
    if (wrong.empty()) wrong = run.finish();
    std::cout << run.killed() << " of " << workers << "x" << workers << " workers on " << runtime.nodes()
              << " nodes killed in " << duration.count() << " s, " << run.got() << " messages got, never "
              << run.longest_stillness().count()
              << " ms without one: " << (wrong.empty() ? "history and audit are right" : wrong) << std::endl;
    return wrong.empty() ? 0 : 1;
  });
}
