#include <wyvern/channels/given_back.hpp>
#include <wyvern/channels/settle.hpp>
#include <wyvern/core/crash_point.hpp>

namespace wyvern {
namespace {

constexpr std::uint64_t some = 1;
constexpr std::uint64_t one_change = 2;

bool is_dead_letter(const RingView& view, PortOwner owner) {
  const std::uint32_t most = view.header().max_deliveries;
  return owner.state() == PortState::given_back && most != 0 && owner.deliveries() >= most;
}

bool is_for_takers(const RingView& view, PortOwner owner) {
  return owner.state() == PortState::given_back && !is_dead_letter(view, owner);
}

/// Acquire wherever an owner is read: who gave the port up left its message, counts and intent before.
template <class Wanted>
std::optional<BorrowedPort> claim_first(const RingView& view, std::uint32_t process, Wanted wanted) {
  const std::uint32_t ports = view.header().port_count.load(std::memory_order_seq_cst);
  for (std::uint32_t number = 0; number < ports; ++number) {
    Port& port = view.port(number);
    std::uint64_t seen = port.owner.load(std::memory_order_seq_cst);
    if (wanted(PortOwner(seen)) &&
        port.owner.compare_exchange_strong(seen, PortOwner(seen).claimed_by(process).bits(),
                                           std::memory_order_seq_cst)) {
      CRASH_POINT("take_over.claimed");
      return BorrowedPort{&port, number};
    }
  }
  return std::nullopt;
}

template <class Wanted>
std::uint32_t count_ports(const RingView& view, Wanted wanted) {
  const std::uint32_t ports = view.header().port_count.load(std::memory_order_seq_cst);
  std::uint32_t count = 0;
  for (std::uint32_t number = 0; number < ports; ++number) {
    count += wanted(PortOwner(view.port(number).owner.load(std::memory_order_seq_cst)));
  }
  return count;
}

}  // namespace

void give_back(const RingView& view, Port& port, Return how) {
  const PortOwner owner(port.owner.load(std::memory_order_relaxed));  // ours: nobody else changes it
  // Sequentially consistent: before the hint, and before the look for sleepers that follows.
  const PortOwner given = how == Return::in_vain ? owner.given_back() : owner.given_back_unchanged();
  port.owner.store(given.bits(), std::memory_order_seq_cst);
  CRASH_POINT("give_back.given");
  raise_given_back(view);
  CRASH_POINT("give_back.hinted");
}

void raise_given_back(const RingView& view) {
  auto& hint = view.header().given_back;
  std::uint64_t seen = hint.load(std::memory_order_seq_cst);
  while (!hint.compare_exchange_weak(seen, (seen + one_change) | some, std::memory_order_seq_cst)) {
  }
}

std::optional<BorrowedPort> take_over(const RingView& view, std::uint32_t process) {
  std::uint64_t before = view.header().given_back.load(std::memory_order_seq_cst);
  if ((before & some) == 0) return std::nullopt;
  const auto found =
      claim_first(view, process, [&view](PortOwner owner) { return is_for_takers(view, owner); });
  // None for anybody: takers need not look until somebody gives back again, which would have changed the
  // hint.
  if (!found)
    view.header().given_back.compare_exchange_strong(before, before & ~some, std::memory_order_seq_cst);
  return found;
}

std::optional<BorrowedPort> take_over_dead_letter(const RingView& view, std::uint32_t process) {
  return claim_first(view, process, [&view](PortOwner owner) { return is_dead_letter(view, owner); });
}

bool any_lease_outstanding(const RingView& view) {
  const std::uint32_t ports = view.header().port_count.load(std::memory_order_seq_cst);
  for (std::uint32_t number = 0; number < ports; ++number) {
    const Port& port = view.port(number);
    // In this order: an operation in flight is seen as intended or as done. The owner last: a lease that is
    // given back while we look is either seen as a lease or as given back.
    const IntentWord intent(port.intent.load(std::memory_order_seq_cst));
    const SpareWord spare(port.spare.load(std::memory_order_seq_cst));
    // A lease is over from the count of its done() on, which comes before done()'s look for those who wait;
    // the port says so a moment later.
    const FinishedWord finished(port.finished.load(std::memory_order_seq_cst));
    const bool leased = spare.leased() && outstanding(spare, finished) == 0;
    // One that is only intended came to nothing: behind the end nobody takes anything any more.
    const bool in_flight = intent.kind() == IntentKind::lease && took_effect(view, number, intent, spare);
    const PortState state = PortOwner(port.owner.load(std::memory_order_seq_cst)).state();
    if (state == PortState::given_back || (state == PortState::owned && (leased || in_flight))) return true;
  }
  return false;
}

std::uint32_t given_back_count(const RingView& view) {
  return count_ports(view, [&view](PortOwner owner) { return is_for_takers(view, owner); });
}

bool any_given_back(const RingView& view) { return given_back_count(view) != 0; }

bool any_dead_letter(const RingView& view) {
  return count_ports(view, [&view](PortOwner owner) { return is_dead_letter(view, owner); }) != 0;
}

}  // namespace wyvern
