#include "watchdog.hpp"

#include <execinfo.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "threads.hpp"

// Ends a test case that hangs: prints its name and the stacks of all threads, then aborts. Any test program
// that this file is compiled into has it.
namespace wyvern::test {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::chrono::seconds default_limit{180};
#else
constexpr std::chrono::seconds default_limit{60};
#endif

}  // namespace

std::chrono::seconds watchdog_limit() {
  const char* seconds = std::getenv("WYVERN_TEST_WATCHDOG");  // seconds, for runs that shall take longer
  return seconds != nullptr ? std::chrono::seconds(std::atoi(seconds)) : default_limit;
}

namespace {

void print_own_stack(int) {
  std::array<void*, 64> frames;
  const int count = ::backtrace(frames.data(), static_cast<int>(frames.size()));
  ::backtrace_symbols_fd(frames.data(), count, STDERR_FILENO);
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, "\n", 1);
}

void print_stacks() {
  std::signal(SIGUSR2, print_own_stack);
  for (const pid_t thread : threads_of_this_process()) {
    if (thread == ::gettid()) continue;
    std::fprintf(stderr, "thread %d:\n", thread);
    ::syscall(SYS_tgkill, ::getpid(), thread, SIGUSR2);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // keeps the stacks apart
  }
}

class Watchdog : public ::testing::EmptyTestEventListener {
  void OnTestStart(const ::testing::TestInfo& test) override {
    ended_ = false;
    watching_ = false;
    const std::string name = std::string(test.test_suite_name()) + "." + test.name();
    thread_ = std::thread([this, name] {
      std::unique_lock lock(mutex_);
      watching_ = true;
      changed_.notify_all();
      if (changed_.wait_for(lock, limit_, [this] { return ended_; })) return;
      std::fprintf(stderr, "%s hangs: not done after %lld s\n", name.c_str(),
                   static_cast<long long>(limit_.count()));
      print_stacks();
      std::abort();
    });
    // A test may fork: a thread that is still being started holds locks of the sanitizers, and no child would
    // get them.
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return watching_; });
  }

  void OnTestEnd(const ::testing::TestInfo&) override {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool watching_ = false;
  bool ended_ = false;
  const std::chrono::seconds limit_ =
      watchdog_limit();  // the thread must not read an environment that tests change
  std::thread thread_;
};

// gtest owns its listeners.
[[maybe_unused]] const bool installed = [] {
  ::testing::UnitTest::GetInstance()->listeners().Append(new Watchdog);
  return true;
}();

}  // namespace
}  // namespace wyvern::test
