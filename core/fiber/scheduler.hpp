#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <wyvern/core/deadline.hpp>
#include <wyvern/core/fiber/active.hpp>
#include <wyvern/core/fiber/completions.hpp>
#include <wyvern/core/fiber/fiber_control.hpp>
#include <wyvern/core/fiber/fiber_waits.hpp>
#include <wyvern/core/fiber/stack_overflow.hpp>
#include <wyvern/core/fiber/stack_pool.hpp>

namespace wyvern::detail {

/// The control of a thread's own stack, among those of its fibers.
class ThreadControl : public FiberControl {
 public:
  explicit ThreadControl(FiberScheduler& of) : FiberControl(of, Stack{}) {}
  void run() override {}
};

enum class Interruption { allowed, refused };

/// Runs the fibers of one thread, in turns with what runs on the thread's own stack. Fibers never leave their
/// thread, and run until they block, yield or end. Made when the thread starts its first fiber, or first
/// waits as one (FirstOf); when the thread ends, its fibers end before.
///
/// Nothing allocates but `take_stack`, now and then. Everything but `post` is for the thread alone.
class FiberScheduler {
 public:
  FiberScheduler();
  ~FiberScheduler();
  FiberScheduler(const FiberScheduler&) = delete;
  FiberScheduler& operator=(const FiberScheduler&) = delete;

  /// The calling thread's. FiberEnded when the thread is ending.
  static FiberScheduler& of_thread();
  /// Where the calling thread runs, if that is in a fiber. For signal handlers, too.
  static const Stack* running_stack();

  /// For a new fiber. OutOfMemory; FiberEnded when the thread is ending.
  Stack take_stack(std::size_t bytes);
  void give_back(const Stack& stack) noexcept { stacks_->give_back(stack); }
  /// It will run from its beginning, on its stack below itself.
  void start(FiberControl& fiber, FiberHandle& handle) noexcept;
  /// Waits until it has ended. FiberEnded if interruption is allowed.
  void wait_for_end(FiberControl& fiber, Interruption interruption);
  /// One that has ended, with its stack: whoever waited for it has what it wanted.
  void release(FiberControl& fiber) noexcept;
  /// Nobody waits for it; it is released at its end.
  void detach(FiberControl& fiber);

  /// The others run first. FiberEnded.
  void yield();
  /// FiberEnded.
  void sleep_until(Deadline deadline);
  /// See wait_in_fiber.
  WaitResult wait(const std::shared_ptr<Member>& member, std::uint64_t interest, WaiterSet* set,
                  Condition condition, const WaitLimit& limit);
  /// The key of a wait of the running fiber, which waits as that member. Throws FiberEnded and what
  /// FiberWaits::adopt does.
  WaitKey begin_wait(const std::shared_ptr<Member>& member, std::uint64_t interest, const WaiterSet* set);
  /// Until the condition of one of these holds: of `first` and those that are chained to it. False: the limit
  /// has passed before. Each is marked if a wake for it is to be used or passed on. FiberEnded.
  bool wait_for_first(FiberWait& first, const WaitLimit& limit);
  /// From here on the thread's own stack waits as it does while fibers are alive.
  void wait_as_fiber() {
    ++waiting_as_fiber_;
    active_fibers = this;
  }
  void end_wait_as_fiber() {
    --waiting_as_fiber_;
    end_if_idle();
  }
  /// The running fiber will wait for one of these completions, as that member, until
  /// `end_wait_for_completions`.
  void begin_wait_for(Completions& completions, const std::shared_ptr<Member>& member);
  void end_wait_for_completions();
  /// Of the running fiber: until it is posted or made ready otherwise, or that time.
  void block(Deadline deadline);
  /// Makes a blocked fiber look again at what it waits for. Any thread, while the fiber waits.
  static void post(FiberControl& fiber);
  /// FiberEnded.
  void throw_if_ended() const;
  /// See detail::end_fibers.
  void end_fibers();

  FiberControl& running() const { return *current_; }
  bool runs(const FiberControl& fiber) const { return current_ == &fiber; }
  /// Whether it is a fiber of the calling thread.
  static bool is_here(const FiberControl& fiber);

 private:
  /// Switches between two looks at what has happened meanwhile: a look costs as much as some switches.
  static constexpr std::uint32_t looks_every = 64;

  static FiberScheduler& make_for_thread();
  void adopt(const std::shared_ptr<Member>& member);
  bool list_again(FiberWait& first);
  friend struct FiberEntry;

  void make_ready(FiberControl& fiber);
  FiberControl& next_ready();
  void switch_to(FiberControl& next);
  [[noreturn]] void finish(FiberControl& fiber);
  /// After each switch: who left for good is released.
  void bury();

  /// What has happened meanwhile: posts, signals, timers.
  void look();
  void take_posted();
  /// The posts for the running fiber end before what it waited for does.
  void take_late_posts();
  void glance_at_completions();
  void wake_timers();
  /// The one place where the thread spins or sleeps: until somebody is ready.
  void idle();
  template <class Ready>
  bool spin(Ready& anybody, Deadline deadline);
  void idle_for_timers(Deadline deadline);

  /// Nobody waits as a fiber any more: the thread waits as one that has none.
  void end_if_idle() {
    if (alive_.empty() && waiting_as_fiber_ == 0) active_fibers = nullptr;
  }
  void end_all();
  void forget_handles();

  HandledExceptions& handled_;
  FiberControl* current_;
  ReadyQueue ready_;
  std::uint32_t until_look_ = looks_every;
  FiberControl* left_ = nullptr;  // for good, by the last switch
  FiberTimers timers_;
  FiberWaits waits_;
  Completions* completions_ = nullptr;  // while somebody waits for one of them
  std::uint32_t waits_for_completions_ = 0;
  std::uint64_t next_glance_ns_ = 0;
  std::atomic<ParkerCell*> cell_ = nullptr;  // where this thread sleeps, for those who post
  std::atomic<FiberControl*> posted_ = nullptr;
  FiberList alive_;                     // in the order in which they were started; without the thread's own
  FiberList unjoined_;                  // have ended
  std::uint32_t waiting_as_fiber_ = 0;  // calls, of fibers, too
  bool is_ending_ = false;
  ThreadControl thread_;
  std::unique_ptr<StackPool> stacks_;
  std::optional<OverflowWatch> overflow_watch_;  // from the first fiber on
};

}  // namespace wyvern::detail
