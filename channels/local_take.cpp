#include <cstring>
#include <string>
#include <utility>

#include <wyvern/channels/given_back.hpp>
#include <wyvern/channels/local_channel.hpp>
#include <wyvern/channels/payload.hpp>
#include <wyvern/channels/ring_operations.hpp>
#include <wyvern/channels/task_account.hpp>
#include <wyvern/channels/wake_duty.hpp>
#include <wyvern/core/crash_point.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/thread_number.hpp>
#include <wyvern/core/wait.hpp>

// What happens for each message that is taken: got, leased, done, given back.
namespace wyvern {
namespace {

/// A message that was leased before is got now: one store counts it, and it is under no lease any more.
/// Sequentially consistent: before the look for who waits for the last lease to end.
void get_leased(const BorrowedPort& port) {
  const SpareWord spare = port.spare();
  port.port->spare.store(SpareWord(spare.gets() + 1, false, spare.block()).bits(), std::memory_order_seq_cst);
  CRASH_POINT("take_over.got");
}

/// Only the owner changes the word of a port that is owned.
void forget_deliveries(Port& port) {
  const PortOwner owner(port.owner.load(std::memory_order_relaxed));
  if (owner.deliveries() != 0) {
    port.owner.store(owner.without_deliveries().bits(), std::memory_order_release);
  }
}

}  // namespace

HeldMessage::HeldMessage(LocalChannel& channel, PortGuard port, IntentKind kind)
    : channel_(&channel),
      port_(std::move(port)),
      owner_(port_->port->owner.load(std::memory_order_relaxed)),
      kind_(kind) {
  BlockHeader& block = spare_block(channel.view(), *port_);
  prefetch_release(channel.view(), block);
  bytes_ = {payload_memory(channel.view(), block), block.length};
}

HeldMessage::HeldMessage(HeldMessage&& other) noexcept
    : channel_(std::exchange(other.channel_, nullptr)),
      port_(std::move(other.port_)),
      bytes_(other.bytes_),
      owner_(other.owner_),
      kind_(other.kind_) {}

HeldMessage& HeldMessage::operator=(HeldMessage&& other) noexcept {
  HeldMessage taken(std::move(other));  // ends what was held here before
  std::swap(channel_, taken.channel_);
  port_ = std::move(taken.port_);  // which swaps them as well
  std::swap(bytes_, taken.bytes_);
  std::swap(owner_, taken.owner_);
  std::swap(kind_, taken.kind_);
  return *this;
}

std::uint32_t HeldMessage::delivery_count() const { return PortOwner(owner_).deliveries(); }

bool HeldMessage::is_lost() const { return port_->port->owner.load(std::memory_order_acquire) != owner_; }

void HeldMessage::check_leased(const char* call) {
  Member::check_not_forked();
  if (channel_ == nullptr || kind_ != IntentKind::lease) {
    throw LeaseLost(std::string(call) + ": this lease has ended already; a lease is reported done once");
  }
  if (!is_lost()) return;
  const LocalChannel& channel = *std::exchange(channel_, nullptr);
  port_.forget();
  throw LeaseLost(std::string(call) + ": the lease on a message of " + channel.description() +
                  " was lost: its holder was declared dead and the message went to somebody else; undo or "
                  "ignore what was done for it");
}

void HeldMessage::get() {
  check_leased("get");
  const LocalChannel& channel = *channel_;
  get_leased(*port_);
  kind_ = IntentKind::get;
  forget_deliveries(*port_->port);
  end();
  channel.wake_if_leases_end();
}

void HeldMessage::done() {
  check_leased("done");
  const LocalChannel& channel = *channel_;
  count_lease_done(*port_->port);
  kind_ = IntentKind::get;  // nothing comes back from here on
  forget_deliveries(*port_->port);
  end();
  channel.wake_joiners_if_done();
  channel.wake_if_leases_end();
}

void HeldMessage::end() noexcept {
  LocalChannel* const channel = std::exchange(channel_, nullptr);
  if (channel == nullptr || Member::forked()) return;  // the message is the parent's
  const RingView& view = channel->view();
  if (kind_ == IntentKind::get) {
    const std::uint32_t block = port_->spare().block();
    if (holds_payload(view.block(block))) release_payload(view, block);
    return;
  }
  return_message(*channel, Return::in_vain);
  if (const std::uint32_t most = view.header().max_deliveries; most != 0 && delivery_count() + 1 >= most)
    channel->member()->agent().attend(channel->reference());
}

void HeldMessage::put_back() noexcept {
  LocalChannel* const channel = std::exchange(channel_, nullptr);
  if (channel != nullptr && !Member::forked()) return_message(*channel, Return::undelivered);
}

/// Of a lease: the port goes with the message.
void HeldMessage::return_message(LocalChannel& channel, Return how) noexcept {
  if (!is_lost()) {
    {
      // task_done() must not find the port ours and then count in it when it is another's.
      const std::lock_guard lock(channel.spare_ports_mutex_);
      give_back(channel.view(), *port_->port, how);
    }
    channel.view().header().getters.wake_one(channel.view().segment());
  }
  port_.forget();
  channel.forget_port();
}

bool LocalChannel::has_something(IntentKind kind) const {
  if (may_be_given_back(view_)) return true;
  if (!ring::has_message_or_end(view_)) return false;
  return kind == IntentKind::get || !ring::has_ended(view_) || !any_lease_outstanding(view_);
}

/// Who only waits asks for no port.
bool LocalChannel::needs_port_for_nothing(IntentKind kind) const {
  return port_at_hand() == nullptr && !has_something(kind);
}

/// With the port, or, for a message that was given back, with that one's in its place.
RingOutcome LocalChannel::try_take(PortGuard& port, IntentKind kind) {
  if (may_be_given_back(view_)) {
    reserve_for_port();
    if (const auto taken_over = take_over(view_, member_->process_index())) {
      if (kind == IntentKind::get) {
        get_leased(*taken_over);
        forget_deliveries(*taken_over->port);
        wake_if_leases_end();
      }
      PortGuard replaced(*this, *taken_over);
      port = std::move(replaced);
      return RingOutcome::done;
    }
    forget_port();
  }
  const RingOutcome outcome = ring::take(view_, *port, kind);
  if (outcome == RingOutcome::closed && kind == IntentKind::lease && any_lease_outstanding(view_))
    return RingOutcome::empty;
  return outcome;
}

/// Tries, and waits in between, until `attempt` is done or the limit has passed.
template <class Attempt>
bool LocalChannel::take_waiting(IntentKind kind, const WaitLimit& limit, Attempt attempt) {
  const auto something = [this, kind] { return has_something(kind); };
  WakeDuty duty(view_.header().getters, view_.segment(), something);
  while (true) {
    const RingOutcome outcome = attempt();
    if (outcome == RingOutcome::done) break;
    if (outcome == RingOutcome::closed) throw_closed(kind == IntentKind::get ? "get" : "lease");
    do {
      if (limit.passed()) return false;
      const auto interest_of = kind == IntentKind::get ? InterestKind::message : InterestKind::lease;
      const WaitResult waited = wait_until(member_, make_interest(interest_of, reference_.index),
                                           &view_.header().getters, something, limit);
      duty.owed |= waited.notified;
      if (waited.ready) break;
    } while (true);
  }
  view_.header().putters.wake_one(view_.segment());
  CRASH_POINT("take.woken");
  return true;
}

RingOutcome LocalChannel::attempt_take(IntentKind kind, std::optional<HeldMessage>& message) {
  if (needs_port_for_nothing(kind)) return RingOutcome::empty;
  PortGuard port = kind == IntentKind::get ? borrow_port() : borrow_balanced_port();
  const RingOutcome outcome = try_take(port, kind);
  if (outcome == RingOutcome::done) message.emplace(*this, std::move(port), kind);
  return outcome;
}

std::optional<HeldMessage> LocalChannel::take(IntentKind kind, const WaitLimit& limit) {
  std::optional<HeldMessage> message;
  take_waiting(kind, limit, [&] { return attempt_take(kind, message); });
  return message;
}

RingOutcome LocalChannel::take_now(IntentKind kind, std::optional<HeldMessage>& message) {
  const RingOutcome outcome = attempt_take(kind, message);
  if (outcome != RingOutcome::done) return outcome;
  view_.header().putters.wake_one(view_.segment());
  CRASH_POINT("take.woken");
  return outcome;
}

Received LocalChannel::get_into(std::span<std::byte> buffer, std::vector<std::byte>& other,
                                const WaitLimit& limit) {
  bool fits = true;
  const auto copy_out = [&](std::span<const std::byte> bytes) {
    fits = bytes.size() == buffer.size();
    if (fits) [[likely]] {
      std::memcpy(buffer.data(), bytes.data(), bytes.size());
    } else {
      other.assign(bytes.begin(), bytes.end());
    }
  };
  const bool got = take_waiting(IntentKind::get, limit, [&]() -> RingOutcome {
    const BorrowedPort* const port = port_at_hand();
    if (port == nullptr || may_be_given_back(view_)) [[unlikely]] {
      if (needs_port_for_nothing(IntentKind::get)) return RingOutcome::empty;
      PortGuard borrowed = borrow_port();
      const RingOutcome outcome = try_take(borrowed, IntentKind::get);
      if (outcome == RingOutcome::done)
        copy_out(HeldMessage(*this, std::move(borrowed), IntentKind::get).bytes());
      return outcome;
    }
    const RingOutcome outcome = ring::take(view_, *port, IntentKind::get);
    if (outcome != RingOutcome::done) return outcome;
    const std::uint32_t number = port->spare().block();
    BlockHeader& block = view_.block(number);
    copy_out({payload_memory(view_, block), block.length});
    if (holds_payload(block)) [[unlikely]]
      release_payload(view_, number);
    return outcome;
  });
  if (!got) return Received::nothing;
  return fits ? Received::in_buffer : Received::in_other;
}

void LocalChannel::task_done() { tasks_done(1); }

void LocalChannel::tasks_done(std::uint64_t count) {
  Member::check_not_forked();
  count_gets(count, [](Port& port, std::uint64_t most) { return count_done(port, most); });
}

void LocalChannel::tasks_lost(std::uint64_t count) {
  Member::check_not_forked();
  count_gets(count, [](Port& port, std::uint64_t most) { return count_lost(port, most); });
}

/// In those of the process's ports that have gets which are not counted yet.
void LocalChannel::count_gets(std::uint64_t count, std::uint64_t (*count_in)(Port&, std::uint64_t)) {
  {
    const std::lock_guard lock(spare_ports_mutex_);
    const std::uint32_t number = thread_number();
    if (number < cells && cells_[number].port.port != nullptr)
      count -= count_in(*cells_[number].port.port, count);
    const std::uint32_t ports = count == 0 ? 0 : view_.header().port_count.load(std::memory_order_acquire);
    for (std::uint32_t other = 0; other < ports && count != 0; ++other) {
      Port& port = view_.port(other);
      if (PortOwner(port.owner.load(std::memory_order_acquire)).is_owned_by(member_->process_index()))
        count -= count_in(port, count);
    }
    if (count != 0) {
      throw InvalidArgument("task_done: this process has reported every message done that it got from " +
                            description() +
                            "; call it once for each get, in the process that got (done() of a "
                            "lease reports itself)");
    }
  }
  wake_joiners_if_done();
}

bool LocalChannel::join(const WaitLimit& limit) {
  Member::check_not_forked();
  const auto all_done = [this] { return all_tasks_done(view_); };
  while (!all_done()) {
    if (limit.passed()) return false;
    wait_until(member_, make_interest(InterestKind::tasks_done, reference_.index), &view_.header().joiners,
               all_done, limit);
  }
  return true;
}

/// Who waits for a lease on a closed queue waits for the last of them to end.
void LocalChannel::wake_if_leases_end() const {
  if (closing()) view_.header().getters.wake_all(view_.segment());
}

void LocalChannel::wake_joiners_if_done() const {
  // Sequentially consistent, after what was counted: a joiner that registers now looks again itself.
  if (view_.header().joiners.summary.load(std::memory_order_seq_cst) == 0) return;
  if (all_tasks_done(view_)) view_.header().joiners.wake_all(view_.segment());
}

}  // namespace wyvern
