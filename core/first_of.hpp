#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <wyvern/core/fiber/condition.hpp>
#include <wyvern/core/fiber/fiber_waits.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/wait_limit.hpp>
#include <wyvern/core/waiter_set.hpp>

namespace wyvern {
namespace detail {
class FiberScheduler;
}

/// Waits for the first of several things, as `wait_until` does for one. There is one way for fibers and for
/// threads without: whoever uses this waits as a fiber while it lives, so that one place sleeps for all that
/// is waited for, also for what somebody has to poll for (Suspension). Nothing here allocates, but for the
/// thread's first time.
///
/// For one call of one thread or fiber. The places, and what the conditions refer to, outlive it.
class FirstOf {
 public:
  /// Of one of the things. After the wait it says whether a wake for that has come, to be used or passed on.
  using Place = std::optional<detail::FiberWait>;

  /// Throws FiberEnded.
  explicit FirstOf(const std::shared_ptr<Member>& member);
  ~FirstOf();
  FirstOf(const FirstOf&) = delete;
  FirstOf& operator=(const FirstOf&) = delete;

  /// `ready` is asked, and must not block, as in wait_until. Without a set: somebody posts the fiber
  /// (Suspension). Throws FiberEnded, OutOfMemory.
  void add(Place& place, std::uint64_t interest, WaiterSet* set, detail::Condition ready);
  /// Until one of what was added is so; false: the limit has passed before. FiberEnded.
  bool wait(const WaitLimit& limit);

 private:
  std::shared_ptr<Member> member_;
  detail::FiberScheduler& scheduler_;
  detail::FiberWait* first_ = nullptr;
};

}  // namespace wyvern
