#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/event_wait.hpp>
#include <wyvern/transport/fabric_endpoint.hpp>
#include <wyvern/transport/peer_watch.hpp>

#include "child_pipe.hpp"
#include "shm_files.hpp"
#include "support/child.hpp"
#include "two_endpoints.hpp"

// Peers that are stopped, killed and started again, over real providers.
namespace wyvern::test {
namespace {

using std::chrono::milliseconds;

/// An endpoint that watches its peers, and sleeps when there is nothing to do.
class Watcher : public EndpointHandler {
 public:
  Watcher(const EndpointOptions& where, const PeerWatchOptions& options)
      : endpoint(where), watch(endpoint, options), wait_(endpoint) {}

  PeerNumber add(const std::vector<std::byte>& address) {
    const PeerNumber peer = endpoint.add_peer(address);
    watch.add(peer, Deadline::Clock::now());
    return peer;
  }
  void remove(PeerNumber peer) {
    watch.remove(peer);
    endpoint.remove_peer(peer);
  }
  /// Looks for the lost before it polls: who was stopped must not need what has come meanwhile.
  void step() {
    const auto found = watch.check(Deadline::Clock::now());
    lost.insert(lost.end(), found.begin(), found.end());
    if (endpoint.poll(*this) == 0 && found.empty()) wait_.wait({}, Deadline::at(watch.next_check()));
  }
  template <class Condition>
  void until(Condition condition) {
    while (!condition()) step();  // the watchdog ends what never becomes true
  }
  void until_state(PeerNumber peer, PeerState state) {
    until([&] { return watch.state(peer) == state; });
  }

  void message(PeerNumber, std::span<const std::byte>) override {}
  void send_failed(PeerNumber to, int fabric_errno) override { watch.send_failed(to, fabric_errno); }
  void read_ended(RemoteRead&, ReadResult, int) override {}

  FabricEndpoint endpoint;
  PeerWatch watch;
  std::vector<LostPeer> lost;

 private:
  EventWait wait_;
};

constexpr PeerWatchOptions of_parent{
    .interval = milliseconds(50), .suspect_after = milliseconds(1500), .lost_after = milliseconds(3000)};
/// It is stopped for longer than it waits for others.
constexpr PeerWatchOptions of_child{
    .interval = milliseconds(50), .suspect_after = milliseconds(500), .lost_after = milliseconds(1200)};
constexpr int has_lost_its_parent = 3;

volatile sig_atomic_t stop_is_asked_for = 0;

/// A process that watches the one that started it, until it finds it lost.
class PeerProcess {
 public:
  PeerProcess(const std::vector<std::byte>& watched, const EndpointOptions& where,
              const PeerWatchOptions& options = of_child)
      : PeerProcess(watched, where, options, ChildPipe()) {}
  ~PeerProcess() {
    child_.send(SIGKILL);
    child_.wait();
    remove_shm_files_of(child_.pid());
  }
  PeerProcess(const PeerProcess&) = delete;
  PeerProcess& operator=(const PeerProcess&) = delete;

  const std::vector<std::byte>& address() const { return address_; }
  Child& child() { return child_; }
  /// Wherever it is; with `shm` where it holds none of the provider's locks, since others would wait for it.
  void stop() {
    child_.send(is_of_shm_ ? SIGUSR1 : SIGSTOP);
    EXPECT_EQ(child_.wait_until_stopped(), SIGSTOP);
  }
  void kill() {
    if (is_of_shm_) stop();
    child_.send(SIGKILL);
    child_.wait();
  }

 private:
  PeerProcess(const std::vector<std::byte>& watched, const EndpointOptions& where,
              const PeerWatchOptions& options, ChildPipe pipe)
      : child_([&] {
          Watcher watcher(where, options);
          watcher.add(watched);
          ::signal(SIGUSR1, [](int) { stop_is_asked_for = 1; });
          if (!pipe.write(watcher.endpoint.address())) return 1;
          watcher.until([&] {
            if (std::exchange(stop_is_asked_for, 0) != 0) ::raise(SIGSTOP);
            return !watcher.lost.empty();
          });
          return has_lost_its_parent;
        }),
        address_(pipe.read()),
        is_of_shm_(where.provider == "shm") {}

  Child child_;
  std::vector<std::byte> address_;
  bool is_of_shm_;
};

class PeerDeathTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!is_offered(GetParam())) GTEST_SKIP() << "not offered by this libfabric";
    watcher_ = std::make_unique<Watcher>(where_, of_parent);
  }
  std::unique_ptr<PeerProcess> start() const {
    return std::make_unique<PeerProcess>(watcher_->endpoint.address(), where_);
  }
  /// A new process that listens where another one did, and is patient with who does not know it yet.
  std::unique_ptr<PeerProcess> start_in_place_of(const PeerProcess& other) const {
    const PeerAddress address = decode_peer_address(other.address());
    EndpointOptions same_place = where_;
    const auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(address.name.at(i)); };
    same_place.service = std::to_string(byte(2) * 256 + byte(3));  // of a sockaddr_in
    PeerWatchOptions patient = of_child;
    patient.lost_after = std::chrono::minutes(1);
    return std::make_unique<PeerProcess>(watcher_->endpoint.address(), same_place, patient);
  }
  LostPeer until_lost(PeerNumber peer) {
    watcher_->until_state(peer, PeerState::lost);
    EXPECT_EQ(watcher_->lost.size(), 1U) << "nobody else";
    const LostPeer lost = watcher_->lost.back();
    EXPECT_EQ(lost.peer, peer);
    watcher_->lost.clear();
    return lost;
  }

  EndpointOptions where_{.provider = GetParam()};
  std::unique_ptr<Watcher> watcher_;
};

TEST_P(PeerDeathTest, stopped_peer_is_suspect_then_lost_and_finds_nobody_dead_itself) {
  const auto bystander = start();
  const auto process = start();
  const PeerNumber other = watcher_->add(bystander->address());
  const PeerNumber peer = watcher_->add(process->address());
  watcher_->until([&] { return watcher_->endpoint.heard_from(peer) >= 3; });
  process->stop();
  watcher_->until_state(peer, PeerState::suspect);
  process->child().send(SIGCONT);
  watcher_->until_state(peer, PeerState::alive);
  process->stop();
  EXPECT_EQ(until_lost(peer).reason, LossReason::silent);
  watcher_->remove(peer);
  EXPECT_EQ(watcher_->watch.state(other), PeerState::alive);
  EXPECT_EQ(process->child().poll(), std::nullopt) << "stopped, not ended";
}

TEST_P(PeerDeathTest, stopped_process_gets_no_beat_where_it_may_hold_what_a_send_needs) {
  FabricEndpoint& endpoint = watcher_->endpoint;
  if (endpoint.traits().sends_to_the_dead_return) GTEST_SKIP() << "no send depends on the other process";
  const auto process = start();
  const PeerNumber peer = endpoint.add_peer(process->address());
  process->stop();
  EXPECT_EQ(endpoint.send_beat(peer), SendOutcome::retry);
  process->child().send(SIGCONT);
  while (endpoint.send_beat(peer) != SendOutcome::done) endpoint.poll(*watcher_);
}

TEST_P(PeerDeathTest, killed_peer_is_lost_and_one_that_is_started_anew_is_another) {
  const auto bystander = start();
  auto process = start();
  const PeerNumber other = watcher_->add(bystander->address());
  const PeerNumber peer = watcher_->add(process->address());
  watcher_->until([&] { return watcher_->endpoint.heard_from(peer) >= 3; });
  process->kill();
  // tcp and net may notice a closed connection before a send fails.
  const LossReason reason = until_lost(peer).reason;
  EXPECT_TRUE(reason == LossReason::unreachable || reason == LossReason::silent);
  watcher_->remove(peer);
  process = start();
  const PeerNumber again = watcher_->add(process->address());
  EXPECT_NE(again, peer);
  watcher_->until([&] { return watcher_->endpoint.heard_from(again) >= 3; });
  EXPECT_EQ(watcher_->watch.state(again), PeerState::alive);
  EXPECT_EQ(watcher_->watch.state(other), PeerState::alive);
}

TEST_P(PeerDeathTest, one_that_takes_the_place_of_a_killed_peer_is_not_taken_for_it) {
  if (!watcher_->endpoint.traits().reaches_other_nodes) GTEST_SKIP() << "a new process is another place";
  const auto process = start();
  const PeerNumber peer = watcher_->add(process->address());
  watcher_->until([&] { return watcher_->endpoint.heard_from(peer) >= 3; });
  process->kill();
  const auto successor = start_in_place_of(*process);
  ASSERT_EQ(decode_peer_address(successor->address()).name, decode_peer_address(process->address()).name);
  until_lost(peer);  // before anybody is told of the new one
  const PeerNumber next = watcher_->add(successor->address());
  watcher_->until([&] { return watcher_->endpoint.heard_from(next) >= 3; });
  watcher_->remove(peer);
  const std::uint64_t heard = watcher_->endpoint.heard_from(next);
  watcher_->until([&] { return watcher_->endpoint.heard_from(next) > heard; });
  EXPECT_EQ(watcher_->watch.state(next), PeerState::alive);
}

TEST_P(PeerDeathTest, peer_that_nobody_listens_for_is_lost) {
  ChildPipe pipe;
  Child process([&] { return pipe.write(FabricEndpoint(where_).address()) ? 0 : 1; });
  const std::vector<std::byte> address = pipe.read();
  ASSERT_EQ(process.wait(), 0);
  const LostPeer lost = until_lost(watcher_->add(address));
  // shm tells that the process has ended.
  EXPECT_EQ(lost.reason, watcher_->endpoint.traits().reaches_other_nodes ? LossReason::nobody_there
                                                                         : LossReason::unreachable);
}

// Not over verbs: its machine is emulated, and slower than the silence that is tested here is long.
INSTANTIATE_TEST_SUITE_P(Over, PeerDeathTest, ::testing::Values("tcp", "net", "shm"),
                         [](const auto& provider) { return std::string(provider.param); });

}  // namespace
}  // namespace wyvern::test
