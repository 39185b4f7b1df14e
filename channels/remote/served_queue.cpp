#include <algorithm>

#include <wyvern/channels/given_back.hpp>
#include <wyvern/channels/remote/guest_opening.hpp>
#include <wyvern/channels/remote/served_queue.hpp>
#include <wyvern/channels/ring.hpp>
#include <wyvern/channels/task_account.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern {

/// Every message is taken under a lease, so that one that does not arrive comes back.
bool ServedQueue::try_get(const PendingGet& get) {
  const RingView& view = local_->view();
  try {
    if (auto message = local_->take(IntentKind::lease, WaitLimit::now())) {
      get.opening->deliver(get.operation, std::move(*message), get.kind);
      return true;
    }
    // A get, other than a lease, does not wait for leases that may come back.
    if (get.kind == IntentKind::lease || !ring::has_ended(view) || may_be_given_back(view)) return false;
    get.opening->say_closed(get.operation);
  } catch (const QueueClosed&) {
    get.opening->say_closed(get.operation);
  } catch (const Error& error) {
    get.opening->refuse(get.operation, error);
  }
  return true;
}

void ServedQueue::get(GuestOpening& opening, std::uint32_t operation, IntentKind kind, bool is_now) {
  const PendingGet get{.opening = &opening, .operation = operation, .kind = kind};
  // Those who have waited longer have seen that there is nothing.
  if (gets_.empty() && try_get(get)) return;
  if (is_now) {
    opening.say_nothing(operation);
  } else {
    gets_.push_back(get);
  }
}

void ServedQueue::join(GuestOpening& opening, std::uint32_t operation) {
  joins_.push_back({.opening = &opening, .operation = operation});
  serve_joins();
}

void ServedQueue::wait_for_room(GuestOpening& opening) {
  if (std::ranges::find(putters_, &opening) == putters_.end()) putters_.push_back(&opening);
}

bool ServedQueue::cancel(const GuestOpening& opening, std::uint32_t operation) {
  const auto is_it = [&](const auto& pending) {
    return pending.opening == &opening && pending.operation == operation;
  };
  return std::erase_if(gets_, is_it) + std::erase_if(joins_, is_it) != 0;
}

std::uint32_t ServedQueue::waiting_of(const GuestOpening& opening) const {
  const auto is_of_it = [&](const auto& pending) { return pending.opening == &opening; };
  return static_cast<std::uint32_t>(std::ranges::count_if(gets_, is_of_it) +
                                    std::ranges::count_if(joins_, is_of_it));
}

void ServedQueue::forget(const GuestOpening& opening) {
  const auto is_of_it = [&](const auto& pending) { return pending.opening == &opening; };
  std::erase_if(gets_, is_of_it);
  std::erase_if(joins_, is_of_it);
  std::erase(putters_, &opening);
}

bool ServedQueue::serve() {
  const bool got = serve_gets();
  const bool put = serve_adopted() | serve_puts();
  return serve_joins() || got || put;
}

bool ServedQueue::serve_gets() {
  bool any = false;
  for (auto get = gets_.begin(); get != gets_.end();) {
    if (try_get(*get)) {
      get = gets_.erase(get);
      any = true;
    } else if (ring::has_ended(local_->view())) {
      ++get;  // that was a lease, and gets behind it may end
    } else {
      break;
    }
  }
  return any;
}

bool ServedQueue::serve_puts() {
  bool any = false;
  for (auto putter = putters_.begin(); putter != putters_.end();) {
    const auto current = putter++;
    GuestOpening* const opening = *current;
    if (opening->holds_puts()) {
      if (!opening->serve_put()) continue;
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

bool ServedQueue::serve_adopted() {
  bool any = false;
  for (; !adopted_.empty(); adopted_.pop_front()) {
    try {
      if (!local_->put(adopted_.front(), {}, WaitLimit::now())) break;
    } catch (const Error&) {
      // Closed, or it can never fit: there is nobody to tell.
    }
    any = true;
  }
  return any;
}

bool ServedQueue::serve_joins() {
  if (joins_.empty() || !all_tasks_done(local_->view())) return false;
  for (const PendingJoin& join : joins_) join.opening->say_value(join.operation, lost_count(local_->view()));
  joins_.clear();
  return true;
}

}  // namespace wyvern
