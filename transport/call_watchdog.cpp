#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/call_watchdog.hpp>

namespace wyvern {
namespace {

/// So that a call is reported at most a fifth later than it should be.
constexpr int looks_until_stuck = 5;

void print(const StuckCall& call) { std::fprintf(stderr, "wyvern: %s\n", describe(call).c_str()); }

/// While it lives, threads that are started handle no signals: those are for the threads of the program.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

/// The one of a process, and what it looks at.
class CallWatchdog::Thread {
 public:
  static Thread& of_this_process();
  bool is_of_this_process() const { return process_ == ::getpid(); }

  void add(CallWatchdog& watched);
  /// It is not looked at any more, nor is its handler called, when this returns.
  void remove(CallWatchdog& watched);
  std::mutex& lock() { return lock_; }

 private:
  void run();

  pid_t process_ = ::getpid();
  std::mutex comings_and_goings_;  // before lock_
  std::mutex lock_;                // held while handlers run
  std::condition_variable changed_;
  std::vector<CallWatchdog*> watched_;
  std::thread thread_;
};

/// Never destroyed: endpoints may live as long as the process. A forked child's is a new one: whether
/// somebody held the locks of the old one when the process was forked is not known.
CallWatchdog::Thread& CallWatchdog::Thread::of_this_process() {
  static std::atomic<Thread*> current{nullptr};
  Thread* present = current.load(std::memory_order_acquire);
  if (present != nullptr && present->is_of_this_process()) return *present;
  auto* made = new Thread;
  if (current.compare_exchange_strong(present, made, std::memory_order_acq_rel)) return *made;
  delete made;
  return *present;
}

void CallWatchdog::Thread::add(CallWatchdog& watched) {
  const std::lock_guard coming(comings_and_goings_);
  {
    const std::lock_guard guard(lock_);
    watched_.push_back(&watched);
  }
  changed_.notify_one();  // it may have to look more often
  if (thread_.joinable()) return;
  const SignalsBlocked blocked;
  try {
    thread_ = std::thread([this] { run(); });
  } catch (...) {
    const std::lock_guard guard(lock_);
    std::erase(watched_, &watched);
    throw;
  }
  ::pthread_setname_np(thread_.native_handle(), "wyvern-watchdog");
}

void CallWatchdog::Thread::remove(CallWatchdog& watched) {
  const std::lock_guard going(comings_and_goings_);
  bool was_last = false;
  {
    const std::lock_guard guard(lock_);
    std::erase(watched_, &watched);
    was_last = watched_.empty();
  }
  if (!was_last) return;
  changed_.notify_one();
  thread_.join();
  thread_ = std::thread();
}

void CallWatchdog::Thread::run() {
  std::unique_lock guard(lock_);
  while (!watched_.empty()) {
    std::chrono::milliseconds period = watched_.front()->period();
    for (const CallWatchdog* watched : watched_) period = std::min(period, watched->period());
    // Woken early it looks at another set of endpoints, or at none.
    if (changed_.wait_for(guard, period) == std::cv_status::no_timeout) continue;
    for (CallWatchdog* watched : watched_) watched->look(period);
  }
}

CallWatchdog::CallWatchdog(const CallMark& mark, std::string provider, CallWatchdogOptions options)
    : mark_(mark),
      provider_(std::move(provider)),
      options_(std::move(options)),
      thread_(&Thread::of_this_process()) {
  if (options_.stuck_after < std::chrono::milliseconds(looks_until_stuck)) {
    throw InvalidArgument(fmt::format("a call cannot count as stuck after {} ms: {} ms is the least",
                                      options_.stuck_after.count(), looks_until_stuck));
  }
  if (!options_.handler) options_.handler = &print;
  thread_->add(*this);
}

CallWatchdog::~CallWatchdog() {
  if (thread_->is_of_this_process()) thread_->remove(*this);
}

void CallWatchdog::name_peer(PeerNumber peer, std::string name) {
  if (!thread_->is_of_this_process()) return;
  const std::lock_guard guard(thread_->lock());
  if (peer >= peer_names_.size()) peer_names_.resize(std::size_t{peer} + 1);
  peer_names_[peer] = std::move(name);
}

std::chrono::milliseconds CallWatchdog::period() const { return options_.stuck_after / looks_until_stuck; }

void CallWatchdog::look(std::chrono::milliseconds period) {
  const std::uint64_t word = mark_.word_.load(std::memory_order_relaxed);
  if (word != last_word_ || word == CallMark::outside) {
    last_word_ = word;
    same_for_ = {};
    is_reported_ = false;
    return;
  }
  same_for_ += period;
  if (is_reported_ || same_for_ < options_.stuck_after) return;
  is_reported_ = true;
  const auto peer = static_cast<PeerNumber>(word);
  options_.handler(
      {.provider = provider_,
       .peer = peer,
       .peer_name = peer < peer_names_.size() ? std::string_view(peer_names_[peer]) : std::string_view(),
       .duration = same_for_});
}

std::string describe(const StuckCall& call) {
  const std::string name = call.peer_name.empty() ? "" : fmt::format(" ({})", call.peer_name);
  const std::string what =
      call.peer == CallMark::no_peer ? "a poll" : fmt::format("a call to peer {}{}", call.peer, name);
  return fmt::format(
      "{} has not returned from provider {} for {:.1f} s: most likely a process was killed while it held a "
      "lock "
      "that libfabric waits for, and it never will return. End this process (SIGKILL) and start it again; a "
      "provider other than {} does not have this fault",
      what, call.provider, std::chrono::duration<double>(call.duration).count(), call.provider);
}

}  // namespace wyvern
