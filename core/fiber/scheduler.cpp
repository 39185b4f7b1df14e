#include <thread>

#include <wyvern/core/error.hpp>
#include <wyvern/core/fiber/context_switch.hpp>
#include <wyvern/core/fiber/fiber.hpp>
#include <wyvern/core/fiber/scheduler.hpp>
#include <wyvern/core/thread_number.hpp>
#include <wyvern/core/wait.hpp>

namespace wyvern::detail {
namespace {

constinit thread_local FiberScheduler* scheduler_of_thread = nullptr;
/// Stays readable after the thread's other objects have gone.
constinit thread_local bool thread_has_ended = false;

[[noreturn]] void throw_ended() {
  throw FiberEnded("this fiber is being ended, since its thread ends: return from its function");
}

}  // namespace

/// Where a fiber begins.
struct FiberEntry {
  static void enter(boost::context::detail::transfer_t from) {
    FiberScheduler& scheduler = *scheduler_of_thread;
    FiberControl& fiber = *scheduler.current_;
    arrive(fiber.context, from);
    scheduler.bury();
    run(fiber);
    scheduler.finish(fiber);
  }

  /// What it throws is its handle's. It is not of use to anybody if there is none.
  static void run(FiberControl& fiber) {
    try {
      fiber.scheduler.throw_if_ended();
      fiber.run();
    } catch (const FiberEnded&) {
      fiber.failure = std::current_exception();
    } catch (...) {
      if (fiber.handle == nullptr) std::terminate();
      fiber.failure = std::current_exception();
    }
  }
};

FiberScheduler::FiberScheduler()
    : handled_(handled_exceptions()),
      current_(&thread_),
      thread_(*this),
      stacks_(std::make_unique<StackPool>()) {
  adopt_thread(thread_.context);
  scheduler_of_thread = this;
}

FiberScheduler::~FiberScheduler() {
  if (!Member::forked()) end_all();
  forget_handles();
  if (Member::forked() || current_ != &thread_) {
    static_cast<void>(stacks_.release());  // somebody may run on one of them: exit() was called there
  }
  active_fibers = nullptr;
  scheduler_of_thread = nullptr;
  thread_has_ended = true;
}

FiberScheduler& FiberScheduler::of_thread() {
  return scheduler_of_thread != nullptr ? *scheduler_of_thread : make_for_thread();
}

FiberScheduler& FiberScheduler::make_for_thread() {
  if (thread_has_ended) throw_ended();
  // What fibers use while they end has to end later.
  Parker::outlive_later_objects();
  static_cast<void>(wyvern::thread_number());
  static thread_local FiberScheduler scheduler;
  return scheduler;
}

const Stack* FiberScheduler::running_stack() {
  const FiberScheduler* const scheduler = scheduler_of_thread;
  if (scheduler == nullptr || scheduler->current_ == &scheduler->thread_) return nullptr;
  return &scheduler->current_->stack;
}

Stack FiberScheduler::take_stack(std::size_t bytes) {
  if (is_ending_) throw_ended();
  if (!overflow_watch_) overflow_watch_.emplace();
  return stacks_->take(bytes);
}

void FiberScheduler::start(FiberControl& fiber, FiberHandle& handle) noexcept {
  auto* const top = reinterpret_cast<std::byte*>(dynamic_cast<void*>(&fiber));
  prepare_context(fiber.context, fiber.stack, top, &FiberEntry::enter);
  fiber.handle = &handle;
  active_fibers = this;
  alive_.push_back(fiber);
  ready_.push_back(fiber);
}

void FiberScheduler::release(FiberControl& fiber) noexcept {
  const Stack stack = fiber.stack;
  if (fiber.list_hook.is_linked()) unjoined_.erase(unjoined_.iterator_to(fiber));
  end_context(fiber.context);
  fiber.~FiberControl();
  give_back(stack);
}

void FiberScheduler::detach(FiberControl& fiber) {
  fiber.handle = nullptr;
  if (fiber.state == FiberState::ended) release(fiber);
}

bool FiberScheduler::is_here(const FiberControl& fiber) { return &fiber.scheduler == scheduler_of_thread; }

void FiberScheduler::throw_if_ended() const {
  if (current_->must_end) throw_ended();
}

// --- Who runs

FiberControl& FiberScheduler::next_ready() {
  FiberControl& next = ready_.front();
  ready_.pop_front();
  return next;
}

void FiberScheduler::switch_to(FiberControl& next) {
  FiberControl& previous = *current_;
  if (&next == &previous) return;
  if (was_overrun(previous.stack)) report_overrun(previous.stack);
  current_ = &next;
  switch_context(previous.context, next.context, handled_);
  bury();
}

void FiberScheduler::bury() {
  if (left_ != nullptr) release(*std::exchange(left_, nullptr));
}

void FiberScheduler::yield() {
  throw_if_ended();
  if (--until_look_ == 0 || ready_.empty()) look();
  if (ready_.empty()) return;
  ready_.push_back(*current_);
  switch_to(next_ready());
}

void FiberScheduler::block(Deadline deadline) {
  FiberControl& fiber = *current_;
  fiber.state = FiberState::blocked;
  if (!deadline.is_never()) {
    fiber.wake_at_ns = deadline.in_monotonic_ns();
    timers_.insert(fiber);
  }
  if (--until_look_ == 0) look();
  while (ready_.empty()) idle();
  switch_to(next_ready());
}

void FiberScheduler::make_ready(FiberControl& fiber) {
  if (fiber.state != FiberState::blocked) return;
  fiber.state = FiberState::ready;
  if (fiber.timer_hook.is_linked()) timers_.erase(timers_.iterator_to(fiber));
  ready_.push_back(fiber);
}

/// On the fiber's own stack, which is in use until somebody else runs.
void FiberScheduler::finish(FiberControl& fiber) {
  if (was_overrun(fiber.stack)) report_overrun(fiber.stack);
  fiber.state = FiberState::ended;
  alive_.erase(alive_.iterator_to(fiber));
  end_if_idle();
  if (fiber.joiner != nullptr) make_ready(*fiber.joiner);
  if (fiber.handle != nullptr) unjoined_.push_back(fiber);
  if (--until_look_ == 0) look();
  while (ready_.empty()) idle();
  FiberControl& next = next_ready();
  current_ = &next;
  if (fiber.handle == nullptr) left_ = &fiber;
  switch_context<Leaving::for_good>(fiber.context, next.context, handled_);
  std::terminate();  // nobody comes back to it
}

// --- What they wait for

void FiberScheduler::wait_for_end(FiberControl& fiber, Interruption interruption) {
  fiber.joiner = current_;
  while (fiber.state != FiberState::ended) {
    if (interruption == Interruption::allowed && current_->must_end) {
      fiber.joiner = nullptr;
      throw_ended();
    }
    block(Deadline::never());
  }
  fiber.joiner = nullptr;
}

void FiberScheduler::sleep_until(Deadline deadline) {
  throw_if_ended();
  while (!deadline.passed()) {
    block(deadline);
    throw_if_ended();
  }
}

void FiberScheduler::adopt(const std::shared_ptr<Member>& member) {
  waits_.adopt(member);
  cell_.store(&waits_.parker()->cell(), std::memory_order_seq_cst);  // see post
}

void FiberScheduler::begin_wait_for(Completions& completions, const std::shared_ptr<Member>& member) {
  if (waits_for_completions_ != 0 && completions_ != &completions) {
    throw InvalidArgument(
        "the fibers of one thread work on other nodes as one process: this one is another member than those "
        "that wait already");
  }
  adopt(member);
  completions_ = &completions;
  ++waits_for_completions_;
}

void FiberScheduler::end_wait_for_completions() {
  take_late_posts();
  if (--waits_for_completions_ == 0) completions_ = nullptr;
}

WaitKey FiberScheduler::begin_wait(const std::shared_ptr<Member>& member, std::uint64_t interest,
                                   const WaiterSet* set) {
  throw_if_ended();
  adopt(member);
  return waits_.key(*current_, interest, set);
}

WaitResult FiberScheduler::wait(const std::shared_ptr<Member>& member, std::uint64_t interest, WaiterSet* set,
                                Condition condition, const WaitLimit& limit) {
  FiberWait wait(*current_, set, begin_wait(member, interest, set), condition);
  const bool is_ready = wait_for_first(wait, limit);
  return {.ready = is_ready, .notified = wait.notified};
}

bool FiberScheduler::wait_for_first(FiberWait& first, const WaitLimit& limit) {
  FiberControl& fiber = *current_;
  bool is_ready = false;
  {
    const WakeOnStop wake_on_stop(limit, [&fiber] { post(fiber); });
    for (FiberWait* wait = &first; wait != nullptr; wait = wait->next) waits_.add(*wait);
    while (true) {
      for (FiberWait* wait = &first; wait != nullptr && !is_ready; wait = wait->next)
        is_ready = wait->condition();
      if (is_ready || limit.passed() || fiber.must_end) break;
      if (list_again(first)) block(limit.deadline());
    }
    for (FiberWait* wait = &first; wait != nullptr; wait = wait->next) waits_.remove(*wait);
  }
  take_late_posts();
  for (FiberWait* wait = &first; wait != nullptr; wait = wait->next) {
    if (!wait->notified) continue;
    until_look_ = 1;  // others may wait for the same
    if (fiber.must_end && wait->set != nullptr && wait->condition())
      wait->set->wake_one(waits_.member().segment());
  }
  throw_if_ended();
  return is_ready;
}

/// Whether all of them were listed. If not, conditions are to be asked again: who makes one true from now on
/// finds it.
bool FiberScheduler::list_again(FiberWait& first) {
  bool were_listed = true;
  for (FiberWait* wait = &first; wait != nullptr; wait = wait->next) {
    if (wait->is_listed()) continue;
    waits_.add_first(*wait);
    were_listed = false;
  }
  return were_listed;
}

WaitResult wait_in_fiber(FiberScheduler& fibers, const std::shared_ptr<Member>& member,
                         std::uint64_t interest, WaiterSet* set, Condition condition,
                         const WaitLimit& limit) {
  return fibers.wait(member, interest, set, condition, limit);
}

void throw_if_fiber_ended() {
  if (active_fibers != nullptr) active_fibers->throw_if_ended();
}

// --- The end

/// Each in its turn, as they were started. When exit() was called in one, that one runs all of this, and goes
/// on in exit(); the thread's own stack waits for nothing any more then.
void FiberScheduler::end_all() {
  is_ending_ = true;
  if (current_ != &thread_) {
    make_ready(thread_);
    ready_.remove_if([this](const FiberControl& fiber) { return &fiber == &thread_; });
    thread_.state = FiberState::ended;
    alive_.erase(alive_.iterator_to(*current_));
  }
  for (FiberControl& fiber : alive_) {
    fiber.must_end = true;
    make_ready(fiber);
  }
  while (!alive_.empty()) {
    while (ready_.empty()) idle();
    ready_.push_back(*current_);
    switch_to(next_ready());
  }
  if (current_ != &thread_) waits_.forget_all();
}

void FiberScheduler::end_fibers() {
  if (current_ != &thread_) return;
  end_all();
  is_ending_ = false;
}

void end_fibers() {
  if (active_fibers != nullptr) active_fibers->end_fibers();
}

/// Handles that are left refer to nothing.
void FiberScheduler::forget_handles() {
  while (!unjoined_.empty()) {
    FiberControl& fiber = unjoined_.front();
    fiber.handle->forget();
    release(fiber);
  }
}

}  // namespace wyvern::detail
