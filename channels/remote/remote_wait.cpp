#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <utility>

#include <wyvern/channels/remote/finally.hpp>
#include <wyvern/channels/remote/remote_access.hpp>
#include <wyvern/core/fiber/active.hpp>
#include <wyvern/core/futex.hpp>
#include <wyvern/core/spin.hpp>

// How those wait that work on other nodes, and who polls for them.
namespace wyvern {
namespace {

using WakeOnRequest = std::stop_callback<std::function<void()>>;

}  // namespace

/// Of a fiber its thread polls, which goes on doing so. While that sleeps, the thread that looks after the
/// endpoint is to poll, if nobody else waits.
void RemoteAccess::pass_polling_on() {
  if (is_polled()) return;
  if (!threads_.empty()) {
    threads_.front().suspension.wake();  // its turn
  } else if (own_waits_ || sleeping_with_fibers_ != 0) {
    own_turn_.notify_one();
  }
}

void RemoteAccess::end_polling() {
  if (poller_ != std::this_thread::get_id()) return;
  poller_ = {};
  pass_polling_on();
}

bool RemoteAccess::wait(Lock& lock, const std::function<bool()>& over, const WaitLimit& limit,
                        std::uint64_t awake_ns, IfEnded if_ended) {
  note_call();
  if (over()) return true;
  Waiter waiter(over, *this);
  const bool is_fiber = waiter.suspension.is_of_fiber();
  Waiters& waiters = is_fiber ? fibers_ : threads_;
  waiters.push_back(waiter);
  const Finally leaving([&] {
    waiters.erase(waiters.iterator_to(waiter));
    if (!is_fiber) pass_polling_on();
  });
  std::optional<WakeOnRequest> on_stop;
  const auto end_stop = [&] {
    if (!on_stop) return;
    lock.unlock();  // it may be running
    on_stop.reset();
    lock.lock();
  };
  const Finally stop_ends(end_stop);
  if (limit.stop() != nullptr) {
    lock.unlock();  // it may be called at once
    on_stop.emplace(*limit.stop(), [&] {
      {
        const Lock stopping(mutex_);
        waiter.suspension.wake();
      }
      callers_interrupt_.ring();
    });
    lock.lock();
  }
  const auto must_end = [&] { return if_ended == IfEnded::stops && waiter.suspension.must_end(); };
  while (!over() && !limit.passed() && !must_end()) {
    if (is_fiber || is_polled()) {
      waiter.suspension.sleep(lock, limit.deadline());
    } else {
      poller_ = std::this_thread::get_id();
      const Finally polled([&] { poller_ = {}; });
      poll_until(lock, over, limit, awake_ns);
    }
  }
  end_stop();
  return over();
}

/// For so long, and gives way to who does what is waited for.
void RemoteAccess::poll_awake(Lock& lock, const std::function<bool()>& over, const WaitLimit& limit,
                              std::uint64_t awake_ns) {
  const std::uint64_t end = monotonic_ns() + awake_ns;
  while (!over() && !limit.passed() && monotonic_ns() < end) {
    const bool has_moved = poll_once();
    lock.unlock();  // somebody else may have something to say
    if (!has_moved) yield_core();
    lock.lock();
  }
}

void RemoteAccess::poll_until(Lock& lock, const std::function<bool()>& over, const WaitLimit& limit,
                              std::uint64_t awake_ns) {
  if (awake_ns != 0) poll_awake(lock, over, limit, awake_ns);
  const auto is_over = [&] {
    lock.unlock();  // somebody else may have something to say
    lock.lock();
    poll_once();
    return over();
  };
  SpinHabit& habit = SpinHabit::mine();
  if (spin_until(member_, is_over, limit, habit, WokenBy::descriptor)) return;
  while (!over() && !limit.passed()) {
    const bool has_moved = poll_once();
    if (over()) break;
    if (has_moved) {
      // A home that takes nothing keeps us at it, which is no reason to keep others from theirs.
      lock.unlock();
      yield_core();
      lock.lock();
    } else {
      sleep(lock, callers_wait_, callers_interrupt_, limit.deadline());
    }
  }
  if (over()) habit.end(monotonic_ns());
}

/// Until something may have come, or somebody interrupts; not beyond the next beat that is due. A beat that
/// was heard is answered before, if it is time for one.
void RemoteAccess::sleep(Lock& lock, EventWait& wait, const EventDescriptor& interrupt, Deadline deadline) {
  if (check_peers(Deadline::Clock::now()) != 0) return;
  std::array<pollfd, 1> others{{{.fd = interrupt.get(), .events = POLLIN, .revents = 0}}};
  wait.prepare(others, earliest(deadline, Deadline::at(watch_.next_check())));
  {
    lock.unlock();
    const Finally locked([&] { lock.lock(); });
    wait.sleep(others);
  }
  if (others[0].revents != 0) interrupt.clear();
}

RemoteAccess::Watch::Watch(RemoteAccess& access, const std::function<bool()>& over)
    : access_(access), waiter_(over, access) {
  const Lock lock(access_.mutex_);
  access_.note_call();
  access_.fibers_.push_back(waiter_);
}

RemoteAccess::Watch::~Watch() {
  const Lock lock(access_.mutex_);
  access_.fibers_.erase(access_.fibers_.iterator_to(waiter_));
}

void RemoteAccess::wait_for(Lock& lock, RemoteNode& node, const RemoteOperation& operation) {
  if (!wait(
          lock, [&] { return operation.is_over() || node.lost(); }, WaitLimit::never()))
    detail::throw_if_fiber_ended();
  if (!operation.is_over()) throw_lost(node);
}

// --- Of a thread with fibers that wait

/// What goes wrong here has no caller to be told, as in the thread of this class.
void RemoteAccess::poll() noexcept {
  const Lock lock(mutex_);
  const std::thread::id me = std::this_thread::get_id();
  if (is_polled() && poller_ != me) return;
  poller_ = me;
  try {
    poll_once();
  } catch (const std::exception& error) {
    lose_all(error.what());
  }
}

void RemoteAccess::rest() noexcept {
  const Lock lock(mutex_);
  end_polling();
}

void RemoteAccess::hand_over() noexcept {
  const Lock lock(mutex_);
  ++sleeping_with_fibers_;
  end_polling();
  pass_polling_on();  // also if another has left it meanwhile
}

void RemoteAccess::take_back() noexcept {
  const Lock lock(mutex_);
  --sleeping_with_fibers_;
}

}  // namespace wyvern
