#pragma once

#include <wyvern/core/parker.hpp>
#include <wyvern/core/spin.hpp>
#include <wyvern/core/waiter_set.hpp>

namespace wyvern {

struct WaitResult {
  bool ready = false;     ///< the condition was seen to hold
  bool notified = false;  ///< a waker spent its wake on us: use it or pass it on
};

/// The one wait path: spins, then sleeps until `ready()` or the deadline. `set` (may be null, if the agent is
/// the only waker and looks at interests) is where wakers look. `ready` is called often, from this thread,
/// and must not block.
template <class Ready>
WaitResult wait_until(const std::shared_ptr<Member>& member, std::uint64_t interest, WaiterSet* set,
                      Ready&& ready, Deadline deadline) {
  WaitResult result;
  if (deadline.is_now()) return {.ready = ready(), .notified = false};
  if (spin_until(*member, ready, deadline)) return {.ready = true, .notified = false};
  Parker& parker = Parker::mine(member);
  if (set != nullptr) set->add(parker.index());
  while (true) {
    parker.prepare(interest);
    result.ready = ready();
    if (result.ready || deadline.passed()) break;
    parker.park(deadline);
    result.notified |= parker.finish();
  }
  if (set != nullptr) set->remove(parker.index());
  result.notified |= parker.finish();
  return result;
}

}  // namespace wyvern
