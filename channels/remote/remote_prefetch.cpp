#include <algorithm>
#include <ranges>
#include <utility>
#include <vector>

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
  if (prefetched_.size() > terms_.prefetch / 2) return;
  while (prefetched_.size() < terms_.prefetch) prefetch_one({});
  access_.send(*node_);
}

void RemoteChannel::prefetch_one(wire::FrameFlags flags) {
  NumberedOperation& get = prefetched_.emplace_back();
  get.number = node_->begin(get.operation);
  say(FrameKind::get, get.number, flags);
}

void RemoteChannel::end_first_prefetched() {
  prefetched_.pop_front();
  ++prefetches_ended_;
}

/// Whether the first one has ended, but for those that were to wait for nothing and found it.
bool RemoteChannel::find_first_prefetched() {
  while (!prefetched_.empty() && prefetched_.front().operation.outcome == FrameKind::nothing)
    end_first_prefetched();
  return !prefetched_.empty() && prefetched_.front().operation.is_over();
}

/// Whether so many have ended since the queue was opened.
bool RemoteChannel::is_prefetched_until(std::uint64_t count) const {
  return prefetches_ended_ >= count ||
         prefetched_[static_cast<std::size_t>(count - prefetches_ended_ - 1)].operation.is_over();
}

std::optional<RemoteMessage> RemoteChannel::take_prefetched(RemoteAccess::Lock& lock,
                                                            const WaitLimit& limit) {
  while (true) {
    if (node_->lost()) RemoteAccess::throw_lost(*node_);
    prefetch();
    if (find_first_prefetched()) return take_first_prefetched(lock);
    if (limit.is_now()) {
      // Whether there is a message only the home knows: who has waited longer gets it before this one.
      prefetch_one(flag(FrameFlag::now));
      access_.send_before_wait(*node_);
      const std::uint64_t count = prefetches_ended_ + prefetched_.size();
      access_.wait_through(lock, [&] { return is_prefetched_until(count) || node_->lost(); });
      if (node_->lost()) RemoteAccess::throw_lost(*node_);
      if (!find_first_prefetched()) return std::nullopt;
      return take_first_prefetched(lock);
    }
    // None is left if another thread has given all back.
    const auto is_over = [&] { return find_first_prefetched() || prefetched_.empty() || node_->lost(); };
    if (!access_.wait(lock, is_over, limit)) {
      detail::throw_if_fiber_ended();
      return std::nullopt;
    }
  }
}

/// That has ended.
RemoteMessage RemoteChannel::take_first_prefetched(RemoteAccess::Lock& lock) {
  const std::uint32_t number = prefetched_.front().number;
  RemoteOperation answer = std::move(prefetched_.front().operation);
  const bool is_message = answer.outcome == FrameKind::delivery;
  is_message ? node_->hold(number) : node_->end(number);
  end_first_prefetched();
  if (!is_message) check_outcome(answer, "get");
  prefetch();
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
  for (const NumberedOperation& get : prefetched_) {
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
  for (const NumberedOperation& get : std::views::reverse(prefetched_)) {
    if (get.operation.outcome == FrameKind::delivery) say(FrameKind::give_back, get.number);
  }
  prefetches_ended_ += prefetched_.size();
  prefetched_.clear();
  access_.look_again();  // who waits for one of them asks again
  access_.send(*node_);
}

/// False: it is not known in time what has come.
bool RemoteChannel::give_back_prefetched(RemoteAccess::Lock& lock, const WaitLimit& limit) {
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
