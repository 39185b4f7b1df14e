#include <iterator>

#include <wyvern/core/error.hpp>
#include <wyvern/core/fiber/fiber_waits.hpp>

namespace wyvern::detail {

void FiberWaits::adopt(const std::shared_ptr<Member>& member) {
  if (!leaders_.empty()) {
    if (member_ == member) return;
    throw InvalidArgument(
        "the fibers of one thread wait for objects of one process: this one is another member than those "
        "that "
        "wait already");
  }
  parker_ = &Parker::mine(member);
  member_ = member;
  parker_->take_signals();
}

WaitKey FiberWaits::key(const FiberControl& fiber, std::uint64_t interest, const WaiterSet* set) const {
  const std::uint32_t signal =
      set == nullptr ? signal_of_interest(interest) : signal_of_place(member_->segment(), set);
  const auto place =
      set == nullptr ? reinterpret_cast<std::uintptr_t>(&fiber) : reinterpret_cast<std::uintptr_t>(set);
  return {.signal = signal, .place = place, .interest = interest};
}

/// Leaders of the same set are neighbours.
bool FiberWaits::is_last_in_set(Leaders::iterator leader) {
  const auto is_other = [&](Leaders::iterator neighbour) {
    return neighbour->key.place != leader->key.place;
  };
  const auto next = std::next(leader);
  return (leader == leaders_.begin() || is_other(std::prev(leader))) &&
         (next == leaders_.end() || is_other(next));
}

void FiberWaits::lead(FiberWait& wait) {
  const auto leader = leaders_.insert(wait).first;
  if (wait.set != nullptr && is_last_in_set(leader)) wait.set->add(parker_->index());
}

void FiberWaits::add(FiberWait& wait) {
  const auto leader = leaders_.find(wait.key);
  if (leader == leaders_.end()) {
    lead(wait);
  } else {
    leader->followers.push_back(wait);
  }
}

void FiberWaits::add_first(FiberWait& wait) {
  const auto leader = leaders_.find(wait.key);
  if (leader == leaders_.end()) {
    lead(wait);
    return;
  }
  FiberWait& second = *leader;
  wait.followers.swap(second.followers);
  leaders_.replace_node(leader, wait);
  wait.followers.push_front(second);
}

void FiberWaits::unlist(FiberWait& wait) {
  if (wait.follower_hook.is_linked()) {
    wait.follower_hook.unlink();
    return;
  }
  const auto leader = leaders_.iterator_to(wait);
  if (!wait.followers.empty()) {
    FiberWait& next = wait.followers.front();
    wait.followers.pop_front();
    next.followers.swap(wait.followers);
    leaders_.replace_node(leader, next);
    return;
  }
  const bool ends_registration = wait.set != nullptr && is_last_in_set(leader);
  leaders_.erase(leader);
  if (ends_registration) wait.set->remove(parker_->index());
}

void FiberWaits::forget_all() {
  while (!leaders_.empty()) {
    FiberWait& wait = *leaders_.begin();
    unlist(wait);
    if (wait.set != nullptr && is_signalled(wait.key.signal)) wait.set->wake_one(member_->segment());
  }
}

void FiberWaits::remove(FiberWait& wait) {
  if (wait.is_listed()) unlist(wait);
  // After the registration has ended: whoever still found it has set the signal before, or sees that it has
  // ended and looks for somebody else (WaiterSet).
  if (is_signalled(wait.key.signal)) wait.notified = true;
  if (wait.notified) ask_again(wait.key.signal);
}

bool FiberWaits::is_signalled(std::uint32_t signal) const {
  const ParkerCell& cell = parker_->cell();
  return ((cell.signals[signal / 64].load(std::memory_order_seq_cst) >> (signal % 64)) & 1) != 0 ||
         cell.signalled_all.load(std::memory_order_seq_cst) != 0;
}

}  // namespace wyvern::detail
