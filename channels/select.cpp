#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <wyvern/channels/remote/pending_take.hpp>
#include <wyvern/channels/select_arm.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern::detail {
namespace {

/// Whose turn it is to be looked at first, of so many. Multiples of the golden ratio are spread evenly, also
/// if a thread has several places where it selects, in any rhythm.
std::size_t next_turn(std::size_t count) {
  thread_local std::uint64_t turns = 0;
  const std::uint64_t fraction = (turns++ * 0x9E37'79B9'7F4A'7C15) >> 32;
  return static_cast<std::size_t>((fraction * count) >> 32);
}

}  // namespace

bool SelectArm::Something::operator()() const { return arm.channel_.local().has_something(arm.kind_); }

/// One call of select.
class Selection {
 public:
  Selection(std::span<SelectArm* const> arms, const WaitLimit& limit)
      : arms_(arms), limit_(limit), turn_(next_turn(arms.size())) {
    Member::check_not_forked();
    for (SelectArm* const arm : arms_) {
      if (!arm->channel_) Channel::throw_no_channel();
      arm->has_ended_ = false;
      arm->is_wake_owed_ = false;
    }
  }
  ~Selection() {
    pass_wakes_on();
    withdraw();
  }
  Selection(const Selection&) = delete;
  Selection& operator=(const Selection&) = delete;

  std::optional<std::size_t> run() {
    // A queue of another node is asked alone when it is its turn: it is not outrun by nearer ones then, and
    // the others have nothing to take back if it has a message.
    if (is_remote(turn_) && ask_now(turn_)) return turn_;
    while (true) {
      for (std::size_t step = 0; step < arms_.size(); ++step) {
        const std::size_t place = first_asked((turn_ + step) % arms_.size());
        if (!arms_[place]->has_ended_ && take_from(place)) return place;
      }
      if (std::ranges::all_of(arms_, &SelectArm::has_ended_)) throw_closed();
      do {
        if (limit_.passed()) return std::nullopt;
      } while (!wait());
    }
  }

 private:
  bool is_remote(std::size_t place) const { return arms_[place]->channel_.local_ == nullptr; }

  bool take_from(std::size_t place) {
    if (!is_remote(place)) return take_here(*arms_[place]);
    if (limit_.is_now()) return place != turn_ && ask_now(place);
    return was_asked(place) && finish(place);
  }

  /// None before the first wait, and not those behind one whose home has not settled in time what was left.
  bool was_asked(std::size_t place) const { return place < pending_.size() && pending_[place] != nullptr; }

  /// Of those that take the same from the same queue of another node: what comes for it comes first.
  std::size_t first_asked(std::size_t place) const {
    if (!was_asked(place)) return place;
    std::size_t first = place;
    for (std::size_t other = 0; other < pending_.size(); ++other) {
      if (was_asked(other) && pending_[other]->is_before(*pending_[first])) first = other;
    }
    return first;
  }

  bool take_here(SelectArm& arm) const {
    std::optional<HeldMessage> message;
    const RingOutcome outcome = arm.channel_.local_->take_now(arm.kind_, message);
    arm.has_ended_ = outcome == RingOutcome::closed;
    if (outcome != RingOutcome::done) return false;
    arm.accept(ChannelMessage::Held(arm.channel_.local_, std::move(*message)));
    return true;
  }

  bool ask_now(std::size_t place) {
    SelectArm& arm = *arms_[place];
    return accept(arm, [&] { return arm.channel_.remote_->take_now(arm.kind_, limit_); });
  }

  /// What was asked of another node, if that has answered.
  bool finish(std::size_t place) {
    SelectArm& arm = *arms_[place];
    PendingTake& take = *pending_[place];
    {
      const RemoteAccess::Lock lock = take.access().lock();
      if (!take.is_over()) return false;
    }
    pass_wakes_on();  // a large message takes its time
    const bool is_taken = accept(arm, [&] {
      RemoteAccess::Lock lock = take.access().lock();
      return take.finish(lock);
    });
    if (arm.has_ended_) pending_[place].reset();
    return is_taken;
  }

  template <class Take>
  static bool accept(SelectArm& arm, Take take) {
    std::optional<RemoteMessage> message;
    try {
      message = take();
    } catch (const QueueClosed&) {
      arm.has_ended_ = true;
    }
    if (!message) return false;
    arm.accept(ChannelMessage::Held(std::move(*message)));
    return true;
  }

  /// Whether it may be worth to look again; false: the limit has passed before.
  bool wait() {
    const std::shared_ptr<Member> member = member_of(*arms_.front());
    FirstOf first(member);
    for (SelectArm* const arm : arms_) {
      if (member_of(*arm) != member) throw_other_member();
      if (arm->has_ended_ || arm->channel_.local_ == nullptr) continue;
      const LocalChannel& channel = *arm->channel_.local_;
      const auto kind = arm->kind_ == IntentKind::get ? InterestKind::message : InterestKind::lease;
      first.add(arm->place_, make_interest(kind, channel.reference().index), &channel.view().header().getters,
                Condition(arm->something_));
    }
    const bool is_ready = wait_also_for_others(first);
    for (SelectArm* const arm : arms_)
      arm->is_wake_owed_ |= !arm->has_ended_ && arm->place_ && arm->place_->notified;
    return is_ready;
  }

  /// For what other nodes answer, too, if there are queues of any.
  bool wait_also_for_others(FirstOf& first) {
    RemoteAccess* const access = ask_others();
    if (access == nullptr) return first.wait(limit_);
    const std::function<bool()> has_answered = [this] {
      return std::ranges::any_of(pending_,
                                 [](const auto& take) { return take != nullptr && take->is_over(); });
    };
    const auto ask = [&] {
      const RemoteAccess::Lock lock = access->lock();
      return has_answered();
    };
    const RemoteAccess::Watch watch(*access, has_answered);
    FirstOf::Place place;
    first.add(place, make_interest(InterestKind::several, 0), nullptr, Condition(ask));
    return first.wait(limit_);
  }

  /// Each is asked once, however often this looks. Where: null if all queues are of this node, or have ended.
  RemoteAccess* ask_others() {
    RemoteAccess* access = nullptr;
    pass_wakes_on();  // a home may take its time
    for (std::size_t place = 0; place < arms_.size(); ++place) {
      const SelectArm& arm = *arms_[place];
      if (arm.has_ended_ || !is_remote(place)) continue;
      pending_.resize(arms_.size());
      if (pending_[place] == nullptr)
        pending_[place] = std::make_unique<PendingTake>(*arm.channel_.remote_, arm.kind_);
      access = &pending_[place]->access();
      RemoteAccess::Lock lock = access->lock();
      if (!pending_[place]->ask(lock, limit_, asked_++)) break;
    }
    return access;
  }

  /// Messages that have come from other nodes all the same go back.
  void withdraw() noexcept {
    for (const auto& take : pending_) {
      if (take == nullptr) continue;
      const RemoteAccess::Lock lock = take->access().lock();
      take->withdraw();
      take->send();
    }
  }

  /// A wake that came for a queue is spent on somebody else if there still is something to wake for.
  void pass_wakes_on() const {
    for (SelectArm* const arm : arms_) {
      if (!std::exchange(arm->is_wake_owed_, false) || !arm->something_()) continue;
      const RingView& view = arm->channel_.local_->view();
      view.header().getters.wake_one(view.segment());
    }
  }

  static const std::shared_ptr<Member>& member_of(const SelectArm& arm) {
    return arm.channel_.local_ != nullptr ? arm.channel_.local_->member() : arm.channel_.remote_->member();
  }
  [[noreturn]] void throw_closed() const {
    throw QueueClosed("select: all " + std::to_string(arms_.size()) +
                      " queues are closed and drained; leave the loop");
  }
  [[noreturn]] static void throw_other_member() {
    throw InvalidArgument(
        "select: one of the queues was opened as another process than the others; open them all in the "
        "process that selects");
  }

  std::span<SelectArm* const> arms_;
  const WaitLimit& limit_;
  std::size_t turn_;
  std::uint64_t asked_ = 0;                            // in all, of whichever
  std::vector<std::unique_ptr<PendingTake>> pending_;  // by place, once others are asked; null: of this node
};

std::optional<std::size_t> select_within(std::span<SelectArm* const> arms, const WaitLimit& limit) {
  return Selection(arms, limit).run();
}

}  // namespace wyvern::detail
