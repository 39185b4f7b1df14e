#pragma once

#include <atomic>
#include <cstdint>
#include <exception>

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>
#include <boost/intrusive/slist.hpp>

#include <wyvern/core/fiber/context.hpp>
#include <wyvern/core/fiber/stack_pool.hpp>

namespace wyvern::detail {

class FiberHandle;
class FiberScheduler;

enum class FiberState : std::uint8_t {
  ready,    ///< it runs, or is in the queue of those that can
  blocked,  ///< until somebody makes it ready
  ended,    ///< it never runs again; what it returned is kept for its handle
};

/// All that there is about a fiber. It lies at the top of the fiber's own stack, in the page that the fiber
/// uses in any case. Of the thread that the fiber belongs to, which alone touches it but for what is atomic.
class FiberControl {
 public:
  FiberControl(FiberScheduler& of, const Stack& on) : scheduler(of), stack(on) {}
  virtual ~FiberControl() = default;
  FiberControl(const FiberControl&) = delete;
  FiberControl& operator=(const FiberControl&) = delete;

  /// Calls the fiber's function, on its stack.
  virtual void run() = 0;

  Context context;
  FiberScheduler& scheduler;
  const Stack stack;
  FiberState state = FiberState::ready;
  bool must_end = false;            ///< its blocked calls throw FiberEnded
  FiberHandle* handle = nullptr;    ///< null: detached
  FiberControl* joiner = nullptr;   ///< who waits for its end
  std::exception_ptr failure;       ///< what ended its function
  std::uint64_t wake_at_ns = 0;     ///< of the monotonic clock, while it is among the timers
  std::atomic<bool> posted{false};  ///< see FiberScheduler::post
  FiberControl* next_posted = nullptr;

  boost::intrusive::slist_member_hook<> ready_hook;
  boost::intrusive::list_member_hook<>
      list_hook;  ///< of all that are alive, or of those that nobody has joined
  boost::intrusive::set_member_hook<boost::intrusive::optimize_size<true>> timer_hook;
};

/// First in, first out.
using ReadyQueue =
    boost::intrusive::slist<FiberControl,
                            boost::intrusive::member_hook<FiberControl, boost::intrusive::slist_member_hook<>,
                                                          &FiberControl::ready_hook>,
                            boost::intrusive::constant_time_size<false>, boost::intrusive::cache_last<true>>;
using FiberList =
    boost::intrusive::list<FiberControl,
                           boost::intrusive::member_hook<FiberControl, boost::intrusive::list_member_hook<>,
                                                         &FiberControl::list_hook>,
                           boost::intrusive::constant_time_size<false>>;

struct WakeTime {
  using type = std::uint64_t;
  type operator()(const FiberControl& fiber) const { return fiber.wake_at_ns; }
};
/// Who is to be woken first comes first.
using FiberTimers = boost::intrusive::multiset<
    FiberControl,
    boost::intrusive::member_hook<FiberControl,
                                  boost::intrusive::set_member_hook<boost::intrusive::optimize_size<true>>,
                                  &FiberControl::timer_hook>,
    boost::intrusive::key_of_value<WakeTime>, boost::intrusive::constant_time_size<false>>;

}  // namespace wyvern::detail
