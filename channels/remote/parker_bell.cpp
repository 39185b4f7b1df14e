

#include <wyvern/channels/remote/parker_bell.hpp>
#include <wyvern/core/futex.hpp>

namespace wyvern {

ParkerBell::ParkerBell(const std::shared_ptr<Member>& member, const EventDescriptor& descriptor)
    : parker_(member), descriptor_(descriptor), thread_([this] { ring_when_woken(); }) {}

ParkerBell::~ParkerBell() {
  // Sequentially consistent, all of it: none of this is on a hot path.
  is_ending_.store(true, std::memory_order_seq_cst);
  parker_.cell().state.store(parker_notified, std::memory_order_seq_cst);
  futex_wake(parker_.cell().state, 1);
  has_rung_.store(0, std::memory_order_seq_cst);
  futex_wake(has_rung_, 1);
  thread_.join();
}

bool ParkerBell::finish() {
  const bool was_woken = parker_.finish();
  if (has_rung_.exchange(0, std::memory_order_seq_cst) != 0) futex_wake(has_rung_, 1);
  return was_woken;
}

/// The thread's. While it waits for the state to be another one than it has seen, it misses no wake: whoever
/// claims the parker wakes all the same, whatever the state was when the wait began.
void ParkerBell::ring_when_woken() {
  std::atomic<std::uint32_t>& state = parker_.cell().state;
  while (!is_ending_.load(std::memory_order_seq_cst)) {
    const std::uint32_t seen = state.load(std::memory_order_seq_cst);
    if (seen != parker_notified) {
      futex_wait(state, seen, Deadline::never());
      continue;
    }
    has_rung_.store(1, std::memory_order_seq_cst);
    descriptor_.ring();
    while (has_rung_.load(std::memory_order_seq_cst) == 1 && !is_ending_.load(std::memory_order_seq_cst))
      futex_wait(has_rung_, 1, Deadline::never());
  }
}

}  // namespace wyvern
