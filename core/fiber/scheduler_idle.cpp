#include <atomic>
#include <chrono>
#include <utility>

#include <wyvern/core/fiber/scheduler.hpp>
#include <wyvern/core/futex.hpp>
#include <wyvern/core/spin.hpp>

// What happens while fibers wait, and what their thread does when none of them can go on.
namespace wyvern::detail {
namespace {

/// Between two looks for completions while fibers are ready: each may be a system call.
constexpr std::uint64_t glances_every_ns = 50'000;

Deadline deadline_at(std::uint64_t monotonic) {
  return Deadline::at(
      Deadline::Clock::time_point(std::chrono::nanoseconds(static_cast<std::int64_t>(monotonic))));
}

}  // namespace

void FiberScheduler::post(FiberControl& fiber) {
  FiberScheduler& scheduler = fiber.scheduler;
  if (fiber.posted.exchange(true, std::memory_order_acq_rel)) return;  // it is in the list already
  FiberControl* first = scheduler.posted_.load(std::memory_order_relaxed);
  do {
    fiber.next_posted = first;
    // Sequentially consistent: before the look at the parker. The thread says that it sleeps, then looks at
    // this list. If it has changed its cell in between, that was before that look.
  } while (!scheduler.posted_.compare_exchange_weak(first, &fiber, std::memory_order_seq_cst,
                                                    std::memory_order_relaxed));
  notify(*scheduler.cell_.load(std::memory_order_seq_cst));
}

void FiberScheduler::take_posted() {
  if (posted_.load(std::memory_order_seq_cst) == nullptr) return;
  FiberControl* first = nullptr;  // of those that were posted: they are listed last first
  for (FiberControl* fiber = posted_.exchange(nullptr, std::memory_order_seq_cst); fiber != nullptr;) {
    FiberControl* const next = std::exchange(fiber->next_posted, first);
    first = std::exchange(fiber, next);
  }
  while (first != nullptr) {
    FiberControl& fiber = *std::exchange(first, first->next_posted);
    fiber.posted.store(false, std::memory_order_release);  // it may be posted again from here on
    make_ready(fiber);
  }
}

void FiberScheduler::take_late_posts() {
  // Relaxed: none is under way any more, and what it was for has been seen.
  if (current_->posted.load(std::memory_order_relaxed)) take_posted();
}

void FiberScheduler::wake_timers() {
  if (timers_.empty()) return;
  const std::uint64_t now = monotonic_ns();
  while (!timers_.empty() && timers_.begin()->wake_at_ns <= now) make_ready(*timers_.begin());
}

void FiberScheduler::look() {
  until_look_ = looks_every;
  if (waits_.parker() != nullptr) waits_.member().send_kept_back();
  take_posted();
  waits_.take_signals([this](FiberWait& wait) { make_ready(wait.fiber); });
  wake_timers();
  if (completions_ != nullptr) glance_at_completions();
}

/// For those whose thread always has something to do.
void FiberScheduler::glance_at_completions() {
  const std::uint64_t now = monotonic_ns();
  if (ready_.empty() || now < next_glance_ns_) return;
  next_glance_ns_ = now + glances_every_ns;
  completions_->poll();
  completions_->rest();
  take_posted();
}

void FiberScheduler::idle() {
  look();
  if (!ready_.empty()) return;
  const Deadline deadline = timers_.empty() ? Deadline::never() : deadline_at(timers_.begin()->wake_at_ns);
  if (waits_.parker() == nullptr) {
    idle_for_timers(deadline);
    return;
  }
  const auto anybody = [this] {
    take_posted();
    waits_.take_signals([this](FiberWait& wait) { make_ready(wait.fiber); });
    return !ready_.empty();
  };
  if (spin(anybody, deadline)) return;
  if (completions_ != nullptr) completions_->hand_over();
  park_until(*waits_.parker(), make_interest(InterestKind::several, 0), anybody, deadline);
  waits_.parker()->finish();  // a wake that has come has left its signal
  if (completions_ != nullptr) completions_->take_back();
  if (!ready_.empty()) SpinHabit::mine().end(monotonic_ns());
}

template <class Ready>
bool FiberScheduler::spin(Ready& anybody, Deadline deadline) {
  SpinHabit& habit = SpinHabit::mine();
  if (completions_ == nullptr) return spin_until(waits_.member(), anybody, deadline, habit);
  const auto poll = [&] {
    completions_->poll();
    return anybody();
  };
  const bool is_over = spin_until(waits_.member(), poll, deadline, habit, WokenBy::descriptor);
  if (is_over) completions_->rest();
  return is_over;
}

/// Nobody outside this thread can wake any of them.
void FiberScheduler::idle_for_timers(Deadline deadline) {
  std::atomic<std::uint32_t> nobody_changes_it = 0;
  futex_wait(nobody_changes_it, 0, deadline);
}

}  // namespace wyvern::detail
