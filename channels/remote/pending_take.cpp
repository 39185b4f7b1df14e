#include <utility>

#include <wyvern/channels/remote/pending_take.hpp>
#include <wyvern/core/fiber/active.hpp>

namespace wyvern {

using wire::FrameKind;

/// As RemoteChannel::take does.
bool PendingTake::ask(RemoteAccess::Lock& lock, const WaitLimit& limit, std::uint64_t order) {
  if (is_asked_) return true;
  RemoteNode& node = *channel_.node_;
  if (node.lost()) RemoteAccess::throw_lost(node);
  if (!channel_.settle_left(lock, !is_lease(), limit)) {
    detail::throw_if_fiber_ended();
    return false;
  }
  if (is_prefetched()) {
    channel_.prefetch();
    return true;
  }
  if (!channel_.prefetched_.empty() && !channel_.give_back_prefetched(lock, limit)) return false;
  operation_.emplace();
  const auto left = node.find_left_get(channel_.opening_, is_lease());
  if (left) {
    node.wait_again(*left, *operation_);
    number_ = *left;
  } else {
    try {
      number_ = channel_.ask_for_message(*operation_, is_lease(), false);
    } catch (...) {
      operation_.reset();  // while the lock is held: it is waited for no more
      throw;
    }
  }
  was_left_ = left.has_value();
  asked_as_ = order;
  is_asked_ = true;
  return true;
}

bool PendingTake::is_before(const PendingTake& other) const {
  return &channel_ == &other.channel_ && kind_ == other.kind_ && is_asked_ && other.is_asked_ &&
         asked_as_ < other.asked_as_;
}

bool PendingTake::is_over() const {
  if (channel_.node_->lost()) return true;
  if (!is_prefetched()) return is_asked_ && operation_->is_over();
  // None is left if another thread gives all back: then they are to be asked for again.
  return channel_.find_first_prefetched() || (channel_.prefetched_.empty() && channel_.giving_back_ == 0);
}

std::optional<RemoteMessage> PendingTake::finish(RemoteAccess::Lock& lock) {
  RemoteNode& node = *channel_.node_;
  if (is_asked_ && operation_->is_over()) {
    is_asked_ = false;
    if (operation_->outcome == FrameKind::delivery)
      return channel_.receive(lock, number_, kind_, std::move(*operation_));
    node.end(number_);
    channel_.check_outcome(*operation_, is_lease() ? "lease" : "get");
    return std::nullopt;
  }
  if (node.lost()) RemoteAccess::throw_lost(node);
  if (!is_prefetched() || !channel_.find_first_prefetched()) return std::nullopt;
  return channel_.take_first_prefetched(lock);
}

void PendingTake::withdraw() noexcept {
  if (!std::exchange(is_asked_, false)) return;
  RemoteNode& node = *channel_.node_;
  if (operation_->is_over()) {
    node.end(number_);
    if (operation_->outcome == FrameKind::delivery && !node.lost())
      channel_.say(FrameKind::give_back, number_, wire::flag(wire::FrameFlag::unseen));
  } else if (node.lost()) {
    node.leave(number_);
  } else {
    if (!was_left_) channel_.say(FrameKind::cancel, number_);
    node.leave_get(number_, channel_.opening_, is_lease());
  }
}

}  // namespace wyvern
