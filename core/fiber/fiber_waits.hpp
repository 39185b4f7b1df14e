#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <memory>

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>

#include <wyvern/core/fiber/condition.hpp>
#include <wyvern/core/parker.hpp>
#include <wyvern/core/signal.hpp>
#include <wyvern/core/waiter_set.hpp>

namespace wyvern::detail {

class FiberControl;

/// What a fiber waits for. Who waits with the same set and interest waits for the same condition.
struct WaitKey {
  std::uint32_t signal;
  std::uintptr_t place;  ///< the set, or, of who waits in none, the fiber
  std::uint64_t interest;
  auto operator<=>(const WaitKey&) const = default;
};

/// One fiber's wait, on its stack, or one of several at a time.
struct FiberWait {
  using FollowerHook =
      boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

  FiberWait(FiberControl& of, WaiterSet* in, WaitKey by, Condition until)
      : fiber(of), set(in), key(by), condition(until) {}

  FiberControl& fiber;
  WaiterSet* set;
  WaitKey key;
  Condition condition;
  FiberWait* next = nullptr;  ///< what the fiber waits for at the same time
  bool notified = false;
  boost::intrusive::set_member_hook<> leader_hook;  ///< the first of those with its key
  FollowerHook follower_hook;                       ///< the others, behind it
  boost::intrusive::list<FiberWait,
                         boost::intrusive::member_hook<FiberWait, FollowerHook, &FiberWait::follower_hook>,
                         boost::intrusive::constant_time_size<false>>
      followers{};

  bool is_listed() const { return leader_hook.is_linked() || follower_hook.is_linked(); }
};

/// The waits of a thread's fibers, all on its one parker: it is registered in a waiter set while at least one
/// of them waits there, and a signal (signal.hpp) leads to the few that it may concern. Of those that wait
/// for the same, the first is asked and woken; when that one has run, the next is asked. So a wake costs the
/// same however many wait, and one that wakes everybody reaches each in turn.
///
/// Nothing here allocates. For one thread.
class FiberWaits {
 public:
  /// The parker is the thread's on that member's node from now on. Throws OutOfMemory; InvalidArgument if
  /// fibers wait as another member.
  void adopt(const std::shared_ptr<Member>& member);
  /// Null before the first wait.
  Parker* parker() const { return parker_; }
  Member& member() const { return *member_; }

  /// Who waits in no set waits for something of its own.
  WaitKey key(const FiberControl& fiber, std::uint64_t interest, const WaiterSet* set) const;
  /// Behind the others that wait for the same; the condition is to be tested after that.
  void add(FiberWait& wait);
  /// The same for one that was woken and found that it has to wait on: it was first, and is again.
  void add_first(FiberWait& wait);
  /// It is marked as notified if a wake for it is on its way, to be used or passed on. The others will be
  /// asked.
  void remove(FiberWait& wait);
  /// All of them, as the thread ends: nobody asks any more. Wakes that came for them are passed on.
  void forget_all();
  /// Those on that signal are asked next time in any case.
  void ask_again(std::uint32_t signal) { asked_for_[signal / 64] |= std::uint64_t{1} << (signal % 64); }

  /// Takes the signals that have come, asks those whom they may concern, and calls `wake(FiberWait&)` for
  /// each whose condition holds; it is notified, and listed no more.
  template <class Wake>
  void take_signals(Wake&& wake);

 private:
  struct KeyOfWait {
    using type = WaitKey;
    const type& operator()(const FiberWait& wait) const { return wait.key; }
  };
  using Leaders = boost::intrusive::set<
      FiberWait,
      boost::intrusive::member_hook<FiberWait, boost::intrusive::set_member_hook<>, &FiberWait::leader_hook>,
      boost::intrusive::key_of_value<KeyOfWait>, boost::intrusive::constant_time_size<false>>;

  void lead(FiberWait& wait);
  void unlist(FiberWait& wait);
  bool is_last_in_set(Leaders::iterator leader);
  bool is_signalled(std::uint32_t signal) const;
  /// Those from `first` up to `last` whose condition holds.
  template <class Wake>
  void ask(Leaders::iterator first, Leaders::iterator last, Wake& wake);
  /// The signals of one word that have come.
  std::uint64_t take_word(std::size_t word);

  std::shared_ptr<Member> member_;
  Parker* parker_ = nullptr;
  Leaders leaders_;
  std::array<std::uint64_t, max_signals / 64> asked_for_{};
};

template <class Wake>
void FiberWaits::ask(Leaders::iterator first, Leaders::iterator last, Wake& wake) {
  while (first != last) {
    FiberWait& wait = *first++;
    if (!wait.condition()) continue;
    unlist(wait);
    wait.notified = true;
    wake(wait);
  }
}

template <class Wake>
void FiberWaits::take_signals(Wake&& wake) {
  if (parker_ == nullptr) return;
  auto& all = parker_->cell().signalled_all;
  if (all.load(std::memory_order_seq_cst) != 0) {
    all.exchange(0, std::memory_order_seq_cst);
    std::atomic_thread_fence(std::memory_order_seq_cst);  // as below
    ask(leaders_.begin(), leaders_.end(), wake);
  }
  for (std::size_t word = 0; word < asked_for_.size(); ++word) {
    for (std::uint64_t rest = take_word(word); rest != 0; rest &= rest - 1) {
      const auto signal =
          static_cast<std::uint32_t>(word * 64 + static_cast<std::size_t>(std::countr_zero(rest)));
      ask(leaders_.lower_bound(WaitKey{signal, 0, 0}), leaders_.lower_bound(WaitKey{signal + 1, 0, 0}), wake);
    }
  }
}

inline std::uint64_t FiberWaits::take_word(std::size_t word) {
  std::uint64_t taken = asked_for_[word];
  asked_for_[word] = 0;
  auto& signals = parker_->cell().signals[word];
  if (signals.load(std::memory_order_seq_cst) != 0) {
    taken |= signals.exchange(0, std::memory_order_seq_cst);
    // The conditions are read after the bits have gone: who finds them still set has not to set them again.
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
  return taken;
}

}  // namespace wyvern::detail
