#pragma once

#include <optional>
#include <stop_token>
#include <utility>

#include <wyvern/core/fiber/active.hpp>
#include <wyvern/core/parker.hpp>
#include <wyvern/core/spin.hpp>
#include <wyvern/core/waiter_set.hpp>

namespace wyvern {

/// Calls `wake` when whoever waits is asked to stop; that one looks at the token after it has said that it
/// sleeps. Ends before what `wake` works on does.
template <class Wake>
class WakeOnStop {
 public:
  WakeOnStop(const WaitLimit& limit, Wake wake) {
    if (limit.stop() != nullptr) callback_.emplace(*limit.stop(), std::move(wake));
  }

 private:
  std::optional<std::stop_callback<Wake>> callback_;
};

namespace detail {

/// The rest of a wait that spinning did not end, in a thread without fibers.
template <class Ready>
[[gnu::noinline]] WaitResult wait_parked(const std::shared_ptr<Member>& member, std::uint64_t interest,
                                         WaiterSet* set, Ready ready, const WaitLimit& limit) {
  Parker& parker = Parker::mine(member);
  const WakeOnStop wake_on_stop(limit, [&cell = parker.cell()] { notify(cell); });
  if (set != nullptr) set->add(parker.index());
  WaitResult result = park_until(parker, interest, ready, limit);
  if (set != nullptr) set->remove(parker.index());
  result.notified |= parker.finish();
  if (result.ready) SpinHabit::mine().end(monotonic_ns());
  return result;
}

template <class Ready>
[[gnu::noinline]] WaitResult wait_suspended(const std::shared_ptr<Member>& member, std::uint64_t interest,
                                            WaiterSet* set, Ready ready, const WaitLimit& limit) {
  return wait_in_fiber(*active_fibers, member, interest, set, Condition(ready), limit);
}

}  // namespace detail

/// The one wait path: sends what was kept back, then waits until `ready()` or the limit. `set` (may be null,
/// if the agent is the only waker and looks at interests) is where wakers look. `ready` is called often, from
/// this thread, and must not block; it says the same to all that wait with the same set and interest. Copies
/// of it are asked, too: kept by value here, it can stay in registers while the thread spins.
///
/// While fibers of this thread are alive, the others run meanwhile, and the thread waits in
/// FiberScheduler::idle when there is nothing to run. Otherwise it waits here, in the same way: it spins,
/// then sleeps on its parker. Throws FiberEnded.
template <class Ready>
WaitResult wait_until(const std::shared_ptr<Member>& member, std::uint64_t interest, WaiterSet* set,
                      Ready ready, const WaitLimit& limit) {
  if (limit.is_now()) return {.ready = ready(), .notified = false};
  if (detail::active_fibers != nullptr) [[unlikely]]
    return detail::wait_suspended(member, interest, set, std::move(ready), limit);
  member->send_kept_back();
  if (spin_until(*member, ready, limit, SpinHabit::mine())) return {.ready = true, .notified = false};
  return detail::wait_parked(member, interest, set, std::move(ready), limit);
}

}  // namespace wyvern
