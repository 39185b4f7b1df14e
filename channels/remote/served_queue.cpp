#include <algorithm>
#include <optional>
#include <utility>

#include <wyvern/channels/given_back.hpp>
#include <wyvern/channels/remote/guest_opening.hpp>
#include <wyvern/channels/remote/served_queue.hpp>
#include <wyvern/channels/ring.hpp>
#include <wyvern/channels/task_account.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern {

using wire::FrameKind;

namespace {

const WaitLimit no_waiting = WaitLimit::now();

/// Closed, and without messages as far as can be seen: who takes then finds its end.
bool is_drained(const RingView& view) {
  return view.header().closing.load(std::memory_order_seq_cst) != 0 && ring::size_approx(view) == 0 &&
         !(may_be_given_back(view) && any_given_back(view));
}

}  // namespace

bool ServedQueue::put(std::span<const std::byte> payload, std::span<const ObjectReference> handles,
                      std::size_t expected) {
  PutBatch& puts = batch(expected);
  if (PutBatch::Run(puts).put(payload, handles)) return true;
  if (puts.closed()) puts.throw_closed();
  return false;
}

void ServedQueue::put(wire::PutRun& run, std::uint32_t most) {
  PutBatch& puts = batch(run.count());
  PutBatch::Run burst(puts);
  for (std::uint32_t done = 0; done < most && !run.empty() && burst.put(run.front(), {}); ++done) run.pop();
  if (!run.empty() && puts.closed()) puts.throw_closed();
}

PutBatch& ServedQueue::batch(std::size_t expected) {
  if (!batch_) batch_.emplace(*local_, 0, no_waiting);
  batch_->expect(expected);
  return *batch_;
}

bool ServedQueue::put(HeldLoan& loan) {
  if (!local_->put_without_wake(loan)) return false;
  ++unwoken_;
  return true;
}

void ServedQueue::wake_takers() {
  const RingView& view = local_->view();
  view.header().getters.wake_some(view.segment(), std::exchange(unwoken_, 0));
}

/// Who holds as much as he may waits until some of that has ended, or for the end of the queue.
bool ServedQueue::may_take(const PendingGet& get) const {
  return get.opening->may_deliver() || is_drained(local_->view());
}

/// Whether it has ended. Every message is taken under a lease, so that one that does not arrive comes back.
bool ServedQueue::try_get(const PendingGet& get) {
  const RingView& view = local_->view();
  GuestOpening& opening = *get.opening;
  try {
    std::optional<HeldMessage> message;
    if (may_take(get)) message = local_->take(IntentKind::lease, no_waiting);
    if (message && !opening.may_deliver()) {  // of a put that was about to end
      message->put_back();
      message.reset();
    }
    if (message) {
      opening.deliver(get.operation, std::move(*message), get.kind);
    } else if (get.kind == IntentKind::get && ring::has_ended(view) && !may_be_given_back(view)) {
      // A get, other than a lease, does not wait for leases that may come back.
      opening.end_with(FrameKind::closed, get.operation);
    } else if (get.is_now) {
      opening.end_with(FrameKind::nothing, get.operation);
    } else {
      return false;
    }
  } catch (const QueueClosed&) {
    opening.end_with(FrameKind::closed, get.operation);
  } catch (const Error& error) {
    opening.refuse(get.operation, error);
  }
  return true;
}

void ServedQueue::get(GuestOpening& opening, std::uint32_t operation, IntentKind kind, bool is_now) {
  const PendingGet get{.opening = &opening, .operation = operation, .kind = kind, .is_now = is_now};
  if (opening.guest().is_backed_up()) {
    gets_.push_back(get);
    return;
  }
  // Those who have waited longer come first; whom these cannot be given to waits for something else.
  if (!gets_.empty()) serve_gets();
  if (is_now && is_behind_its_like(get, gets_.end())) return opening.end_with(FrameKind::nothing, operation);
  if (is_now ? !try_get(get) : !gets_.empty() || !try_get(get)) gets_.push_back(get);
}

/// Whether the same opening has a get of that kind that waits longer: the two are answered in order.
bool ServedQueue::is_behind_its_like(const PendingGet& get,
                                     std::list<PendingGet>::const_iterator place) const {
  return std::any_of(gets_.begin(), place, [&](const PendingGet& other) {
    return other.opening == get.opening && other.kind == get.kind;
  });
}

bool ServedQueue::adopt(std::vector<std::byte> payload) {
  constexpr std::size_t most = 65'536;
  constexpr std::size_t most_bytes = std::size_t{16} << 20;
  if (adopted_.size() == most || adopted_bytes_ + payload.size() > most_bytes) return false;
  adopted_bytes_ += payload.size();
  adopted_.push_back(std::move(payload));
  return true;
}

void ServedQueue::join(GuestOpening& opening, std::uint32_t operation) {
  joins_.push_back({.opening = &opening, .operation = operation});
  serve_joins();
}

void ServedQueue::wait_for_room(GuestOpening& opening) {
  if (std::ranges::find(putters_, &opening) == putters_.end()) putters_.push_back(&opening);
}

bool ServedQueue::may_fetch() const {
  const RingView& view = local_->view();
  return fetches_ == 0 || ring::size_approx(view) + fetches_ < view.capacity() || local_->closing();
}

bool ServedQueue::cancel(const GuestOpening& opening, std::uint32_t operation) {
  const auto is_it = [&](const auto& pending) {
    return pending.opening == &opening && pending.operation == operation;
  };
  return std::erase_if(gets_, is_it) + std::erase_if(joins_, is_it) != 0;
}

void ServedQueue::forget(const GuestOpening& opening) {
  const auto is_of_it = [&](const auto& pending) { return pending.opening == &opening; };
  std::erase_if(gets_, is_of_it);
  std::erase_if(joins_, is_of_it);
  std::erase(putters_, &opening);
  std::erase(after_adopted_, &opening);
}

void ServedQueue::expect_wake(std::uint32_t parker) {
  ChannelHeader& header = local_->view().header();
  if (!gets_.empty()) expecting_.push_back(&header.getters);
  if (waits_for_room()) expecting_.insert(expecting_.end(), {&header.putters, &header.payload_putters});
  if (!joins_.empty()) expecting_.push_back(&header.joiners);
  for (WaiterSet* const set : expecting_) set->add(parker);
}

void ServedQueue::end_wake(std::uint32_t parker) {
  for (WaiterSet* const set : expecting_) set->remove(parker);
  expecting_.clear();
}

void ServedQueue::pass_wake_on() {
  const RingView& view = local_->view();
  ChannelHeader& header = view.header();
  if (may_be_given_back(view) || ring::has_message_or_end(view)) header.getters.wake_some(view.segment(), 1);
  if (ring::has_room_or_end(view)) header.putters.wake_some(view.segment(), 1);
  header.payload_putters.wake_all(view.segment());
}

bool ServedQueue::serve() {
  const bool got = serve_gets();
  const bool adopted = serve_adopted();
  const bool has_put = adopted_.empty() && serve_puts();
  batch_.reset();
  return serve_joins() || got || adopted || has_put;
}

/// Those of guests that are backed up stay, and hold up nobody else.
bool ServedQueue::serve_gets() {
  bool any = false;
  bool is_there_nothing = false;
  bool is_there_no_lease = false;
  for (auto get = gets_.begin(); get != gets_.end();) {
    const bool is_in_vain =
        is_there_nothing && !get->is_now &&
        (get->kind == IntentKind::lease ? is_there_no_lease
                                        : !ring::has_ended(local_->view()) || is_behind_its_like(*get, get));
    if (is_in_vain || get->opening->guest().is_backed_up()) {
      ++get;
    } else if (get->is_now && is_behind_its_like(*get, get)) {
      get->opening->end_with(FrameKind::nothing, get->operation);
      get = gets_.erase(get);
      any = true;
    } else if (try_get(*get)) {
      get = gets_.erase(get);
      any = true;
    } else if (!may_take(*get)) {
      ++get;
    } else {
      // At the end of a queue a get may end all the same, and a lease waits for others.
      is_there_nothing = true;
      is_there_no_lease |= get->kind == IntentKind::lease || !ring::has_ended(local_->view());
      ++get;
    }
  }
  return any;
}

bool ServedQueue::serve_adopted() {
  bool any = false;
  for (; !adopted_.empty(); adopted_.pop_front()) {
    const std::size_t bytes = adopted_.front().size();
    try {
      if (!put(adopted_.front(), {}, adopted_.size())) break;
    } catch (const Error&) {
      // Closed, or there is no memory: nobody is left to be told.
    }
    adopted_bytes_ -= bytes;
    any = true;
  }
  if (adopted_.empty()) {
    for (GuestOpening* const opening : std::exchange(after_adopted_, {})) opening->end_holding();
  }
  return any;
}

bool ServedQueue::serve_puts() {
  bool any = false;
  for (auto putter = putters_.begin(); putter != putters_.end();) {
    const auto current = putter++;
    GuestOpening* const opening = *current;
    if (opening->holds_puts()) {
      if (!opening->serve_put(putters_.size() == 1)) continue;
      any = true;
    }
    if (opening->holds_puts()) {
      putters_.splice(putters_.end(), putters_, current);
      if (putter == putters_.end()) putter = current;  // its turn again: nobody else has one
    } else {
      putters_.erase(current);
    }
  }
  return any;
}

bool ServedQueue::serve_joins() {
  if (joins_.empty() || !all_tasks_done(local_->view())) return false;
  for (const PendingJoin& join : joins_)
    join.opening->end_with_value(join.operation, lost_count(local_->view()));
  joins_.clear();
  return true;
}

}  // namespace wyvern
