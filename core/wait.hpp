#pragma once

#include <optional>
#include <stop_token>

#include <wyvern/core/parker.hpp>
#include <wyvern/core/spin.hpp>
#include <wyvern/core/waiter_set.hpp>

namespace wyvern {

struct WaitResult {
  bool ready = false;     ///< the condition was seen to hold
  bool notified = false;  ///< a waker spent its wake on us: use it or pass it on
};

/// Wakes a parker when its thread is asked to stop, like any other waker; the thread looks at the token after
/// it has said that it sleeps. Ends before the parker does.
class WakeOnStop {
 public:
  WakeOnStop(const WaitLimit& limit, ParkerCell& cell) {
    if (limit.stop() != nullptr) callback_.emplace(*limit.stop(), Wake{&cell});
  }

 private:
  struct Wake {
    ParkerCell* cell;
    void operator()() const { notify(*cell); }
  };
  std::optional<std::stop_callback<Wake>> callback_;
};

/// The one wait path: sends what was kept back, spins, then sleeps until `ready()` or the limit. `set` (may
/// be null, if the agent is the only waker and looks at interests) is where wakers look. `ready` is called
/// often, from this thread, and must not block.
template <class Ready>
WaitResult wait_until(const std::shared_ptr<Member>& member, std::uint64_t interest, WaiterSet* set,
                      Ready&& ready, const WaitLimit& limit) {
  WaitResult result;
  if (limit.is_now()) return {.ready = ready(), .notified = false};
  member->send_kept_back();
  SpinHabit& habit = SpinHabit::mine();
  if (spin_until(*member, ready, limit, habit)) return {.ready = true, .notified = false};
  Parker& parker = Parker::mine(member);
  const WakeOnStop wake_on_stop(limit, parker.cell());
  if (set != nullptr) set->add(parker.index());
  while (true) {
    parker.prepare(interest);
    result.ready = ready();
    if (result.ready || limit.passed()) break;
    parker.park(limit);
    result.notified |= parker.finish();
  }
  if (set != nullptr) set->remove(parker.index());
  result.notified |= parker.finish();
  if (result.ready) habit.end(monotonic_ns());
  return result;
}

}  // namespace wyvern
