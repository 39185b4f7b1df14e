#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "support/child.hpp"
#include "support/history.hpp"
#include "support/local_node.hpp"

// Forked producers and consumers on one ring; random ones are killed and replaced, or stopped and continued.
namespace wyvern::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::size_t producers = 4;
constexpr std::size_t consumers = 4;
constexpr std::size_t most_gets = std::size_t{1} << 18;
constexpr std::size_t sizes[] = {16, 16, 16, 64, 65, 5'000, 16, 20'000};
constexpr std::string_view type = "stamped";
constexpr std::uint64_t hash = hash_text(type);

/// WYVERN_KILL_SECONDS makes a run longer; the watchdog has its own variable, WYVERN_TEST_WATCHDOG.
std::chrono::seconds run_time() {
  const char* seconds = std::getenv("WYVERN_KILL_SECONDS");
  return seconds != nullptr ? std::chrono::seconds(std::atoi(seconds)) : 3s;
}

class KillStress : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  struct Worker {
    bool producer;
    std::shared_ptr<Member> member;
    Child child;
    bool stopped = false;
  };

  void SetUp() override {
    // Children cannot ask the keeper: enough for all of them, and for the dead that are not buried yet.
    node_.provide_ports(channel_, 64);
    for (const std::size_t size : {65U, 5'000U, 20'000U})
      node_.provide_extents(size, static_cast<std::uint32_t>(GetParam()) + 64);
    for (std::size_t i = 0; i < producers; ++i) workers_.push_back(start(true));
    for (std::size_t i = 0; i < consumers; ++i) workers_.push_back(start(false));
  }

  std::unique_ptr<Worker> start(bool producer) {
    const auto member = node_.join();
    const auto log = history_.add(member->puid());
    return std::make_unique<Worker>(Worker{
        producer, member, Child([&] { return producer ? produce(member, log) : consume(member, log); })});
  }

  int produce(const std::shared_ptr<Member>& member, History::Writer log) const {
    Channel channel = Channel::open(member, channel_.reference(), hash, type);
    try {
      while (true) {
        const MessageId id = log.begin_put();
        channel.put(make_stamped(id, sizes[id.sequence % std::size(sizes)]));
        log.put_ended();
      }
    } catch (const QueueClosed&) {
      log.put_refused();
    }
    return 0;
  }

  int consume(const std::shared_ptr<Member>& member, History::Writer log) const {
    Channel channel = Channel::open(member, channel_.reference(), hash, type);
    try {
      while (!log.full()) log.got(read_stamped(channel.get()));
    } catch (const QueueClosed&) {
    }
    return 0;
  }

  Worker& random_worker() { return *workers_[random_() % workers_.size()]; }

  /// Waits until so many more messages have been got, while the agent does its rounds, and replaces who has
  /// filled its log. Hangs, until the watchdog ends it, if the survivors do not go on.
  void expect_progress(std::uint64_t messages) {
    const std::uint64_t aim = history_.total_got() + messages;
    while (history_.total_got() < aim) {
      std::this_thread::sleep_for(500us);  // as an agent would; the machine belongs to the workers
      node_.sweep();
      for (auto& worker : workers_) {
        if (!worker->child.poll() || worker->child.wait() == -SIGKILL) continue;
        ASSERT_EQ(worker->child.wait(), 0);
        node_.bury(*worker->member);
        worker = start(worker->producer);
      }
    }
  }

  void kill_one() {
    Worker& victim = random_worker();
    victim.child.send(SIGKILL);
    ASSERT_EQ(victim.child.wait(), -SIGKILL);
    history_.mark_killed(victim.member->puid());
    if (random_() % 2 == 0) expect_progress(20);  // before the burial, too
    node_.bury(*victim.member);
    for (auto& worker : workers_) {
      if (worker.get() == &victim) worker = start(victim.producer);
    }
    ++killed_;
  }

  void stop_one() {
    Worker& victim = random_worker();
    victim.child.send(SIGSTOP);
    wait_for([&] { return victim.child.stopped() || victim.child.poll(); });
    expect_progress(200);
    victim.child.send(SIGCONT);
    ++stopped_;
  }

  template <class Disturb>
  void run(Disturb disturb) {
    const auto end = Clock::now() + run_time();
    while (Clock::now() < end && history_.has_room() && !HasFatalFailure()) {
      expect_progress(50);
      disturb();
    }
  }

  void finish() {
    channel_.close();
    for (auto& worker : workers_) {
      EXPECT_EQ(worker->child.wait(), 0);
      node_.bury(*worker->member);
    }
    EXPECT_THROW(channel_.try_get(), QueueClosed) << "the consumers have left something";
    EXPECT_EQ(history_.problems(), "");
    EXPECT_EQ(audit(node_.segment(), channel_.reference()), "");
    EXPECT_EQ(audit_node(node_.segment()), "");
    std::printf("%d killed, %d stopped, %llu messages\n", killed_, stopped_,
                static_cast<unsigned long long>(history_.total_got()));
  }

  LocalNode node_;
  std::shared_ptr<Member> member_ = node_.join();
  Channel channel_ = Channel::create(member_, {.capacity = GetParam(), .inline_size = 64}, hash, type);
  History history_{static_cast<std::size_t>(run_time().count()) * 400 + 100, most_gets};
  std::vector<std::unique_ptr<Worker>> workers_;
  std::mt19937 random_{static_cast<std::uint32_t>(GetParam())};
  int killed_ = 0;
  int stopped_ = 0;
};

TEST_P(KillStress, killed_workers_lose_at_most_what_was_in_their_hands) {
  run([this] { kill_one(); });
  finish();
}

TEST_P(KillStress, stopped_workers_hold_up_nobody) {
  run([this] { stop_one(); });
  finish();
}

TEST_P(KillStress, stopped_and_killed_workers_together) {
  run([this] { random_() % 2 == 0 ? stop_one() : kill_one(); });
  finish();
}

INSTANTIATE_TEST_SUITE_P(capacities, KillStress, ::testing::Values(1, 3, 64),
                         [](const auto& instance) { return std::to_string(instance.param); });

}  // namespace
}  // namespace wyvern::test
