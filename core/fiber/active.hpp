#pragma once

#include <cstdint>
#include <memory>

#include <wyvern/core/fiber/condition.hpp>
#include <wyvern/core/parker.hpp>
#include <wyvern/core/waiter_set.hpp>

namespace wyvern::detail {

class FiberScheduler;

/// The calling thread's, while fibers of it are alive; null in every other thread: all that those pay is a
/// look at it when they have to wait.
inline constinit thread_local FiberScheduler* active_fibers = nullptr;

/// What `wait_until` is for the fiber, or the thread's own stack, that runs in `fibers`, those of the calling
/// thread: suspends it, not the thread. Throws FiberEnded.
WaitResult wait_in_fiber(FiberScheduler& fibers, const std::shared_ptr<Member>& member,
                         std::uint64_t interest, WaiterSet* set, Condition condition, const WaitLimit& limit);

/// Throws FiberEnded if the caller is a fiber that is being ended.
void throw_if_fiber_ended();
/// Ends the calling thread's fibers as if it came to its end. For its own stack: in a fiber nothing happens.
void end_fibers();

}  // namespace wyvern::detail
