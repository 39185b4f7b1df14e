#pragma once

#include <chrono>

#include <wyvern/core/deadline.hpp>

/// What the running fiber does; or the thread, where it has no fibers. Threads may call all of this.
namespace wyvern::this_fiber {

/// Lets the other fibers of this thread that can run do so first. Without fibers, std::this_thread::yield.
/// Throws FiberEnded when the fiber's thread is ending.
void yield();

namespace detail {
void sleep(Deadline deadline);
}  // namespace detail

/// Waits for so long, zero and less being no time, while the other fibers of this thread run. Without fibers
/// the thread sleeps. Throws FiberEnded when the fiber's thread is ending.
template <class Rep, class Period>
void sleep_for(std::chrono::duration<Rep, Period> duration) {
  detail::sleep(Deadline::after(duration));
}
/// The same, until that time of any clock. Later changes of the clock do not matter.
template <class Clock, class Duration>
void sleep_until(std::chrono::time_point<Clock, Duration> time) {
  detail::sleep(Deadline::until(time));
}

}  // namespace wyvern::this_fiber
