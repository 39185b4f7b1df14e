#include <algorithm>
#include <string>
#include <vector>

#include <wyvern/core/crash_point.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/futex.hpp>
#include <wyvern/core/parker.hpp>
#include <wyvern/core/prefetch.hpp>

namespace wyvern {
namespace {

/// Longer delays are the scheduler's, not the wake-up's.
constexpr std::uint64_t longest_credible_wake_ns = 1'000'000;

/// Keeps a running mean over about eight wake-ups. Relaxed: an estimate that may lose an update.
void learn_wake_cost(std::atomic<std::uint32_t>& estimate, std::uint64_t sample) {
  const auto bounded = static_cast<std::int64_t>(std::min(sample, longest_credible_wake_ns));
  const std::int64_t old = estimate.load(std::memory_order_relaxed);
  estimate.store(static_cast<std::uint32_t>(old == 0 ? bounded : old + (bounded - old) / 8),
                 std::memory_order_relaxed);
}

/// Relaxed: a sweep that comes too early for it leaves the place to the next one.
void raise_parkers_used(SegmentHeader& header, std::uint32_t count) {
  std::uint32_t used = header.parkers_used.load(std::memory_order_relaxed);
  while (used < count && !header.parkers_used.compare_exchange_weak(used, count, std::memory_order_relaxed)) {
  }
}

std::uint32_t claim_cell(const Member& member) {
  const Segment& segment = member.segment();
  // From the first on, so that waiter sets stay dense.
  for (std::uint32_t index = 0; index < max_parkers; ++index) {
    std::uint32_t expected = 0;
    // Acquire: what the last owner wrote to the cell comes before what we write.
    if (segment.parker(index).owner.load(std::memory_order_relaxed) == 0 &&
        segment.parker(index).owner.compare_exchange_strong(
            expected, member.process_index() + 1, std::memory_order_acquire, std::memory_order_relaxed)) {
      raise_parkers_used(segment.header(), index + 1);
      return index;
    }
  }
  throw OutOfMemory("all " + std::to_string(max_parkers) + " sleeping places of node " +
                    std::to_string(segment.header().node) +
                    " are taken: fewer threads must wait at the same time (fibers share one place)");
}

}  // namespace

Parker& Parker::mine(const std::shared_ptr<Member>& member) {
  std::vector<std::unique_ptr<Parker>>& parkers = of_thread();
  for (const auto& parker : parkers) {
    if (parker->member_ == member) return *parker;
  }
  return *parkers.emplace_back(std::make_unique<Parker>(member));
}

/// A thread has one member nearly always; tests that play several processes in one have a few.
std::vector<std::unique_ptr<Parker>>& Parker::of_thread() {
  thread_local std::vector<std::unique_ptr<Parker>> parkers;
  return parkers;
}

void Parker::outlive_later_objects() { of_thread(); }

Parker::Parker(std::shared_ptr<Member> member)
    : member_(std::move(member)), index_(claim_cell(*member_)), cell_(member_->segment().parker(index_)) {
  cell_.state.store(parker_awake, std::memory_order_relaxed);
  cell_.takes_signals.store(0, std::memory_order_relaxed);  // nobody has this place registered yet
}

Parker::~Parker() {
  if (Member::forked()) return;  // the cell is the parent's
  cell_.interest.store(0, std::memory_order_relaxed);
  cell_.owner.store(0, std::memory_order_release);  // the next owner's writes come after ours
}

void Parker::take_signals() {
  const std::uint64_t several = make_interest(InterestKind::several, 0);
  // Relaxed: only this thread writes them.
  if (cell_.takes_signals.load(std::memory_order_relaxed) != 0 &&
      cell_.interest.load(std::memory_order_relaxed) == several)
    return;
  cell_.interest.store(several, std::memory_order_relaxed);
  cell_.takes_signals.store(1, std::memory_order_seq_cst);  // before the registrations that follow
}

void Parker::prepare(std::uint64_t interest) {
  cell_.interest.store(interest, std::memory_order_relaxed);
  cell_.state.store(parker_asleep,
                    std::memory_order_seq_cst);  // before the registration and the re-check that follow
}

void Parker::park(const WaitLimit& limit) {
  CRASH_POINT("park.asleep");
  while (cell_.state.load(std::memory_order_acquire) == parker_asleep) {
    if (futex_wait(cell_.state, parker_asleep, limit.deadline())) {
      const std::uint64_t now = monotonic_ns();
      const std::uint64_t notified_at = cell_.notified_at.load(std::memory_order_relaxed);
      if (now > notified_at) learn_wake_cost(member_->segment().header().wake_cost_ns, now - notified_at);
    } else if (limit.passed()) {
      return;
    }
  }
}

bool Parker::finish() {
  // Sequentially consistent: after the deregistration, see WaiterSet::remove; acquires what the waker made
  // true.
  return cell_.state.exchange(parker_awake, std::memory_order_seq_cst) == parker_notified;
}

bool notify(ParkerCell& cell) {
  prefetch_to_write(&cell);  // one journey for the look and the claim
  std::uint32_t expected = parker_asleep;
  if (cell.state.load(std::memory_order_seq_cst) != expected) return false;
  cell.notified_at.store(monotonic_ns(), std::memory_order_relaxed);
  // Release: what made the condition true is seen by the woken one.
  if (!cell.state.compare_exchange_strong(expected, parker_notified, std::memory_order_seq_cst,
                                          std::memory_order_relaxed))
    return false;
  CRASH_POINT("notify.claimed");
  futex_wake(cell.state, 1);
  return true;
}

}  // namespace wyvern
