#include <algorithm>
#include <new>
#include <ranges>
#include <utility>
#include <vector>

#include <wyvern/channels/remote/finally.hpp>
#include <wyvern/channels/remote/remote_channel.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/fiber/active.hpp>

// What a process gets from a queue of another node before it asks for it. Gets that nobody waits for yet are
// answered in the order in which they were said, so the first of them is always the next one's.
namespace wyvern {

using wire::flag;
using wire::FrameFlag;
using wire::FrameKind;

/// Many in one message of the network: when half of them are used.
void RemoteChannel::prefetch() {
  if (giving_back_ != 0 || prefetched_.size() > terms_.prefetch / 2) return;
  while (prefetched_.size() < terms_.prefetch) say_get(prefetched_.emplace_back(), {});
  access_.send(*node_);
}

void RemoteChannel::say_get(Prefetched& get, wire::FrameFlags flags) {
  get.place = prefetches_said_++;
  get.number = node_->begin(get.operation);
  say(FrameKind::get, get.number, flags);
}

/// Whether the first one has ended, but for those that were cancelled.
bool RemoteChannel::find_first_prefetched() {
  while (!prefetched_.empty() && prefetched_.front().operation.outcome == FrameKind::nothing)
    prefetched_.pop_front();
  return !prefetched_.empty() && prefetched_.front().operation.is_over();
}

/// Who may wait, but does not here (`is_now`), gets what has come: it will wait for what was asked for.
std::optional<RemoteMessage> RemoteChannel::take_prefetched(RemoteAccess::Lock& lock, const WaitLimit& limit,
                                                            bool is_now) {
  while (true) {
    if (node_->lost()) RemoteAccess::throw_lost(*node_);
    prefetch();
    if (is_now && !find_first_prefetched()) limit.is_now() ? look_for_one_more(lock) : access_.poll_aside();
    if (find_first_prefetched()) return take_first_prefetched(lock);
    if (is_now) return std::nullopt;
    // None is left if another thread gives all back.
    const auto is_over = [&] {
      return find_first_prefetched() || (prefetched_.empty() && giving_back_ == 0) || node_->lost();
    };
    if (!access_.wait(lock, is_over, limit)) {
      detail::throw_if_fiber_ended();
      return std::nullopt;
    }
  }
}

/// Whether there is a message only the home knows. It has one for this get only if all that were said before
/// are answered, so that what it brings is behind theirs.
void RemoteChannel::look_for_one_more(RemoteAccess::Lock& lock) {
  std::list<Prefetched> one(1);
  Prefetched& get = one.front();
  say_get(get, flag(FrameFlag::now));
  access_.send_before_wait(*node_);
  const bool is_over = access_.wait(
      lock, [&] { return get.operation.is_over() || node_->lost(); }, WaitLimit::never());
  if (is_over && node_->lost()) RemoteAccess::throw_lost(*node_);
  if (get.operation.outcome == FrameKind::nothing) return;
  const auto behind =
      std::ranges::find_if(prefetched_, [&](const Prefetched& other) { return other.place > get.place; });
  prefetched_.splice(behind, one);
  if (!is_over) detail::throw_if_fiber_ended();
}

/// That has ended.
RemoteMessage RemoteChannel::take_first_prefetched(RemoteAccess::Lock& lock) {
  const std::uint32_t number = prefetched_.front().number;
  RemoteOperation answer = std::move(prefetched_.front().operation);
  const bool is_message = answer.outcome == FrameKind::delivery;
  is_message ? node_->hold(number) : node_->end(number);
  prefetched_.pop_front();
  if (!is_message) check_outcome(answer, "get");
  try {
    prefetch();
  } catch (const std::bad_alloc&) {
    // The next call tries again.
  }
  return receive(lock, number, IntentKind::get, std::move(answer));
}

/// What goes wrong is left to the next call: those that are here are not to be lost.
void RemoteChannel::take_what_is_prefetched(std::vector<RemoteMessage>& messages, std::size_t most) {
  RemoteAccess::Lock lock = access_.lock();
  while (messages.size() < most && !node_->lost() && find_first_prefetched() &&
         prefetched_.front().operation.outcome == FrameKind::delivery) {
    messages.reserve(messages.size() + 1);
    try {
      messages.push_back(take_first_prefetched(lock));
    } catch (const Error&) {
      return;
    }
  }
}

void RemoteChannel::cancel_prefetched() {
  for (const Prefetched& get : prefetched_) {
    if (!get.operation.is_over()) say(FrameKind::cancel, get.number);
  }
  access_.send_before_wait(*node_);
}

bool RemoteChannel::are_prefetched_over() const {
  return node_->lost() ||
         std::ranges::all_of(prefetched_, [](const auto& get) { return get.operation.is_over(); });
}

/// The last one first, so that they are in order again.
void RemoteChannel::return_prefetched() {
  for (const Prefetched& get : std::views::reverse(prefetched_)) {
    if (get.operation.outcome == FrameKind::delivery) say(FrameKind::give_back, get.number);
  }
  prefetched_.clear();
  access_.send(*node_);
}

/// False: it is not known in time what has come.
bool RemoteChannel::give_back_prefetched(RemoteAccess::Lock& lock, const WaitLimit& limit) {
  ++giving_back_;
  const Finally given_back([&] {
    if (--giving_back_ == 0) access_.look_again();  // who waits for one of them asks again
  });
  cancel_prefetched();
  const WaitLimit until = limit.is_now() ? WaitLimit::never() : limit;
  if (!access_.wait(
          lock, [this] { return are_prefetched_over(); }, until)) {
    detail::throw_if_fiber_ended();
    return false;
  }
  if (node_->lost()) RemoteAccess::throw_lost(*node_);
  return_prefetched();
  return true;
}

void RemoteChannel::end_prefetch(RemoteAccess::Lock& lock) noexcept {
  ++giving_back_;  // from now on
  try {
    if (!prefetched_.empty() && !node_->lost()) {
      cancel_prefetched();
      access_.wait_through(lock, [this] { return are_prefetched_over(); });
      if (!node_->lost()) return_prefetched();
    }
    // A get that came to its limit may bring a message all the same, which goes back while this is open.
    access_.wait_through(lock, [this] {
      return node_->lost() ||
             (!node_->find_left_get(opening_, false) && !node_->find_left_get(opening_, true));
    });
  } catch (const std::exception&) {
    // Out of memory: the home counts what was on its way as lost.
  }
  prefetched_.clear();
}

}  // namespace wyvern
