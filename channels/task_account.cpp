#include <algorithm>

#include <wyvern/channels/task_account.hpp>
#include <wyvern/core/crash_point.hpp>

namespace wyvern {
namespace {

template <class Value>
std::uint64_t sum_over_ports(const RingView& view, Value value) {
  const std::uint32_t ports = view.header().port_count.load(std::memory_order_seq_cst);
  std::uint64_t sum = 0;
  for (std::uint32_t number = 0; number < ports; ++number) {
    sum += value(FinishedWord(view.port(number).finished.load(std::memory_order_seq_cst)));
  }
  return sum;
}

/// As many of the port's outstanding gets, at most `most`; how many.
template <class Change>
std::uint64_t count_gets(Port& port, std::uint64_t most, Change change) {
  std::uint64_t seen = port.finished.load(std::memory_order_acquire);
  while (true) {
    const SpareWord spare(port.spare.load(std::memory_order_acquire));
    const FinishedWord finished(seen);
    const std::uint64_t count = spare.leased() ? 0 : std::min(most, outstanding(spare, finished));
    // Sequentially consistent: before the look for joiners that follows.
    if (count == 0 ||
        port.finished.compare_exchange_weak(seen, change(finished, count).bits(), std::memory_order_seq_cst,
                                            std::memory_order_acquire))
      return count;
  }
}

}  // namespace

std::uint64_t count_done(Port& port, std::uint64_t most) {
  const std::uint64_t count = count_gets(
      port, most, [](FinishedWord finished, std::uint64_t dones) { return finished.and_done(dones); });
  if (count != 0) CRASH_POINT("task_done.counted");
  return count;
}

std::uint64_t count_lost(Port& port, std::uint64_t most) {
  return count_gets(port, most,
                    [](FinishedWord finished, std::uint64_t lost) { return finished.and_lost(lost); });
}

void count_lost(Port& port) {
  const FinishedWord finished(port.finished.load(std::memory_order_acquire));
  const std::uint64_t lost = outstanding(SpareWord(port.spare.load(std::memory_order_acquire)), finished);
  if (lost != 0) port.finished.store(finished.and_lost(lost).bits(), std::memory_order_seq_cst);
}

void count_lease_done(Port& port) {
  const SpareWord spare(port.spare.load(std::memory_order_relaxed));
  const FinishedWord finished(port.finished.load(std::memory_order_relaxed));
  // A leased port is balanced and nobody else counts in it: a plain store will do. Sequentially consistent:
  // before the look for joiners that follows.
  port.finished.store(finished.one_done().bits(), std::memory_order_seq_cst);
  CRASH_POINT("lease.done_counted");
  port.spare.store(SpareWord(spare.gets() + 1, false, spare.block()).bits(), std::memory_order_release);
  CRASH_POINT("lease.ended");
}

void move_outstanding(Port& from, Port& to, std::uint32_t to_number) {
  const SpareWord giver(from.spare.load(std::memory_order_relaxed));
  const SpareWord taker(to.spare.load(std::memory_order_relaxed));
  const std::uint64_t count = outstanding_gets(from);
  if (count == 0) return;
  // Release, in this order: the agent that sees a step sees those before it.
  from.moved.store(MovedWord(to_number, taker.gets()).bits(), std::memory_order_release);
  CRASH_POINT("move.noted");
  to.spare.store(SpareWord(taker.gets() + count, taker.leased(), taker.block()).bits(),
                 std::memory_order_release);
  CRASH_POINT("move.given");
  from.spare.store(SpareWord(giver.gets() - count, giver.leased(), giver.block()).bits(),
                   std::memory_order_release);
  CRASH_POINT("move.taken");
  from.moved.store(0, std::memory_order_release);
}

void settle_move(const RingView& view, Port& from) {
  const MovedWord moved(from.moved.load(std::memory_order_acquire));
  if (!moved.active()) return;
  const SpareWord taker(view.port(moved.to_port()).spare.load(std::memory_order_acquire));
  const SpareWord giver(from.spare.load(std::memory_order_acquire));
  if (taker.gets() != moved.gets_before()) {
    from.spare.store(SpareWord(giver.gets() - outstanding_gets(from), giver.leased(), giver.block()).bits(),
                     std::memory_order_release);
  }
  from.moved.store(0, std::memory_order_release);
}

bool all_tasks_done(const RingView& view) {
  // The sum first: dones never exceed puts, so a count of puts that is read later and equals it leaves none.
  const std::uint64_t dones = sum_over_ports(view, [](FinishedWord finished) { return finished.dones(); });
  return ((ring::put_count(view) - dones) & ticket_mask) == 0;
}

std::uint64_t lost_count(const RingView& view) {
  return sum_over_ports(view, [](FinishedWord finished) { return finished.lost(); });
}

}  // namespace wyvern
