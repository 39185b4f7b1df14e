#include <array>
#include <chrono>
#include <exception>
#include <utility>

#include <wyvern/channels/remote/home_server.hpp>
#include <wyvern/core/spin.hpp>

namespace wyvern {
namespace {

/// So that an error that stays is not reported all the time.
constexpr std::chrono::milliseconds after_failure{100};

}  // namespace

HomeServer::HomeServer(std::shared_ptr<Member> member, std::unique_ptr<Endpoint> endpoint, const JobKey& key,
                       const HomeOptions& options)
    : member_(std::move(member)),
      report_(options.report),
      address_(endpoint->address()),
      endpoint_(*endpoint),
      home_(member_, std::move(endpoint), key, options),
      bell_(member_, wake_),
      wait_(endpoint_),
      thread_([this] { serve(); }) {}

HomeServer::~HomeServer() {
  is_ending_ = true;
  wake_.ring();
  thread_.join();
}

void HomeServer::post(std::function<void(Home&)> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    has_tasks_ = true;
  }
  wake_.ring();
}

void HomeServer::serve() {
  SpinHabit& habit = SpinHabit::mine();
  const auto worked = [this] { return is_ending_ || work(); };
  while (!is_ending_) {
    try {
      if (spin_until(*member_, worked, WaitLimit::never(), habit, WokenBy::descriptor)) continue;
      if (home_.is_fetching(Deadline::Clock::now())) {
        yield_core();  // to who sends it, or takes what came before
        continue;
      }
      sleep();
      if (worked()) habit.end(monotonic_ns());
    } catch (const std::exception& error) {
      // Out of memory, or an error of the network that concerns nobody in particular.
      if (report_) report_(error.what());
      std::this_thread::sleep_for(after_failure);
    }
  }
}

bool HomeServer::work() {
  if (!has_tasks_.load(std::memory_order_relaxed)) return home_.poll(Deadline::Clock::now());
  std::vector<std::function<void(Home&)>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks = std::exchange(tasks_, {});
    has_tasks_ = false;
  }
  for (const auto& task : tasks) task(home_);
  home_.poll(Deadline::Clock::now());
  return true;
}

/// First the registrations, then the last look: what changes after it rings.
void HomeServer::sleep() {
  const bool waits_for_queues = home_.waits_for_queues();
  if (waits_for_queues) {
    bell_.prepare();
    home_.expect_wake(bell_.parker());
  }
  std::array<pollfd, 1> others{{{.fd = wake_.get(), .events = POLLIN, .revents = 0}}};
  if (!is_ending_ && !has_tasks_ && !home_.poll(Deadline::Clock::now()))
    wait_.wait(others, Deadline::at(home_.next_poll()));
  if (others[0].revents != 0) wake_.clear();
  if (waits_for_queues) home_.end_wake(bell_.parker());
  if (bell_.finish()) home_.pass_wake_on();
}

}  // namespace wyvern
