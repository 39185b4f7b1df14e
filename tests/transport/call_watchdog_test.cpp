#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/call_watchdog.hpp>

#include "support/child.hpp"
#include "support/threads.hpp"

namespace wyvern::test {
namespace {

using std::chrono::milliseconds;

/// What was reported, and a way to wait for it.
class Reports {
 public:
  std::function<void(const StuckCall&)> handler() {
    return [this](const StuckCall& call) {
      const std::lock_guard guard(lock_);
      all_.push_back({call.peer, std::string(call.peer_name), describe(call)});
      changed_.notify_all();
    };
  }
  struct Report {
    PeerNumber peer;
    std::string name;
    std::string text;
  };
  std::vector<Report> wait_for(std::size_t count) {
    std::unique_lock guard(lock_);
    changed_.wait(guard, [&] { return all_.size() >= count; });  // the test's watchdog ends it
    return all_;
  }

 private:
  std::mutex lock_;
  std::condition_variable changed_;
  std::vector<Report> all_;
};

/// Threads of this process by that name.
int watchdog_threads() {
  int count = 0;
  for (const pid_t thread : threads_of_this_process()) {
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/comm");
    std::string name;
    std::getline(file, name);
    if (name == "wyvern-watchdog") ++count;
  }
  return count;
}

TEST(CallWatchdog, call_that_does_not_return_is_reported_once_with_its_peer) {
  Reports reports;
  CallMark stuck;
  CallMark other;
  CallWatchdog of_stuck(stuck, "shm", {.stuck_after = milliseconds(50), .handler = reports.handler()});
  const CallWatchdog of_other(other, "shm", {.stuck_after = milliseconds(50), .handler = reports.handler()});
  of_stuck.name_peer(3, "fi_shm://77:0:0");
  stuck.enter(3);
  auto seen = reports.wait_for(1);
  EXPECT_EQ(seen[0].peer, 3U);
  EXPECT_EQ(seen[0].name, "fi_shm://77:0:0");
  EXPECT_NE(seen[0].text.find("peer 3 (fi_shm://77:0:0)"), std::string::npos) << seen[0].text;
  EXPECT_NE(seen[0].text.find("shm"), std::string::npos);
  // Had the first been reported again meanwhile, it would stand before the next.
  other.enter(CallMark::no_peer);
  seen = reports.wait_for(2);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[1].peer, CallMark::no_peer);
  EXPECT_NE(seen[1].text.find("a poll"), std::string::npos) << seen[1].text;
  // The next call of the same endpoint is another one.
  stuck.leave();
  stuck.enter(3);
  EXPECT_EQ(reports.wait_for(3)[2].peer, 3U);
}

TEST(CallWatchdog, calls_that_return_are_not_reported) {
  Reports reports;
  CallMark quick;
  CallMark stuck;
  // Long enough for a busy machine: the caller would be reported if it did not run.
  const CallWatchdog of_quick(quick, "shm",
                              {.stuck_after = milliseconds(1000), .handler = reports.handler()});
  const CallWatchdog of_stuck(stuck, "shm",
                              {.stuck_after = milliseconds(1500), .handler = reports.handler()});
  // Inside nearly always, and never in the same call for long.
  const std::jthread caller([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      quick.enter(1);
      std::this_thread::yield();
      quick.leave();
      quick.enter(1);
    }
  });
  stuck.enter(2);
  const auto seen = reports.wait_for(1);
  EXPECT_EQ(seen[0].peer, 2U);
}

TEST(CallWatchdog, one_thread_is_there_from_the_first_to_the_last) {
  ASSERT_EQ(watchdog_threads(), 0);
  CallMark mark;
  auto first = std::make_unique<CallWatchdog>(mark, "shm");
  auto second = std::make_unique<CallWatchdog>(mark, "shm");
  EXPECT_EQ(watchdog_threads(), 1);
  first.reset();
  EXPECT_EQ(watchdog_threads(), 1);
  second.reset();
  EXPECT_EQ(watchdog_threads(), 0);
  Reports reports;
  const CallWatchdog third(mark, "shm", {.stuck_after = milliseconds(50), .handler = reports.handler()});
  EXPECT_EQ(watchdog_threads(), 1);
  mark.enter(1);
  EXPECT_EQ(reports.wait_for(1)[0].peer, 1U);
}

TEST(CallWatchdog, its_thread_handles_no_signals_and_the_others_are_as_before) {
  sigset_t before;
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, nullptr, &before), 0);
  Reports reports;
  CallMark mark;
  sigset_t of_handler;
  ::sigemptyset(&of_handler);
  const CallWatchdog watchdog(mark, "shm",
                              {.stuck_after = milliseconds(50), .handler = [&](const StuckCall& call) {
                                 ::pthread_sigmask(SIG_SETMASK, nullptr, &of_handler);
                                 reports.handler()(call);
                               }});
  mark.enter(1);
  reports.wait_for(1);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGCHLD})
    EXPECT_EQ(::sigismember(&of_handler, signal), 1) << signal;
  sigset_t after;
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, nullptr, &after), 0);
  for (int signal = 1; signal < SIGRTMAX; ++signal)
    EXPECT_EQ(::sigismember(&before, signal), ::sigismember(&after, signal)) << signal;
}

TEST(CallWatchdog, forked_child_has_its_own_and_leaves_the_parents_alone) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the thread sanitizer ends a forked child that starts threads";
#endif
  CallMark mark;
  auto inherited = std::make_unique<CallWatchdog>(mark, "shm");
  Child child([&] {
    inherited->name_peer(1, "somebody");
    inherited.reset();
    Reports reports;
    CallMark own;
    const CallWatchdog watchdog(own, "shm", {.stuck_after = milliseconds(50), .handler = reports.handler()});
    own.enter(4);
    return reports.wait_for(1)[0].peer == 4 && watchdog_threads() == 1 ? 0 : 1;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(watchdog_threads(), 1);
}

TEST(CallWatchdog, without_a_handler_there_is_one_line_on_stderr) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  Child child([&] {
    ::dup2(ends[1], STDERR_FILENO);
    CallMark mark;
    const CallWatchdog watchdog(mark, "shm", {.stuck_after = milliseconds(50)});
    mark.enter(9);
    while (true) ::pause();
    return 0;
  });
  ::close(ends[1]);
  std::string text;
  for (char letter = 0; letter != '\n' && ::read(ends[0], &letter, 1) == 1;) text += letter;
  ::close(ends[0]);
  EXPECT_TRUE(text.starts_with("wyvern: a call to peer 9 has not returned from provider shm for ")) << text;
}

TEST(CallWatchdog, time_that_is_too_short_is_refused_and_leaves_no_thread) {
  const CallMark mark;
  EXPECT_THROW(CallWatchdog(mark, "shm", {.stuck_after = milliseconds(0)}), InvalidArgument);
  EXPECT_EQ(watchdog_threads(), 0);
}

}  // namespace
}  // namespace wyvern::test
