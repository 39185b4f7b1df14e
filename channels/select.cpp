#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

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
      arm->channel_.local();  // or throws
      arm->has_ended_ = false;
      arm->is_wake_owed_ = false;
    }
  }
  /// A wake that came for a queue is spent on somebody else if there still is something to wake for.
  ~Selection() {
    for (const SelectArm* const arm : arms_) {
      if (!arm->is_wake_owed_ || !arm->something_()) continue;
      const RingView& view = arm->channel_.local().view();
      view.header().getters.wake_one(view.segment());
    }
  }
  Selection(const Selection&) = delete;
  Selection& operator=(const Selection&) = delete;

  std::optional<std::size_t> run() {
    while (true) {
      for (std::size_t step = 0; step < arms_.size(); ++step) {
        const std::size_t place = (turn_ + step) % arms_.size();
        if (take_from(*arms_[place])) return place;
      }
      if (std::ranges::all_of(arms_, &SelectArm::has_ended_)) throw_closed();
      do {
        if (limit_.passed()) return std::nullopt;
      } while (!wait());
    }
  }

 private:
  bool take_from(SelectArm& arm) {
    if (arm.has_ended_) return false;
    std::optional<HeldMessage> message;
    const RingOutcome outcome = arm.channel_.local().take_now(arm.kind_, message);
    arm.has_ended_ = outcome == RingOutcome::closed;
    if (outcome != RingOutcome::done) return false;
    arm.accept(ChannelMessage::Held(arm.channel_.local_, std::move(*message)));
    return true;
  }

  bool wait() {
    const std::shared_ptr<Member>& member = arms_.front()->channel_.local().member();
    FirstOf first(member);
    for (SelectArm* const arm : arms_) {
      if (arm->has_ended_) continue;
      LocalChannel& channel = arm->channel_.local();
      if (channel.member() != member) throw_other_member();
      const auto kind = arm->kind_ == IntentKind::get ? InterestKind::message : InterestKind::lease;
      first.add(arm->place_, make_interest(kind, channel.reference().index), &channel.view().header().getters,
                Condition(arm->something_));
    }
    const bool is_ready = first.wait(limit_);
    for (SelectArm* const arm : arms_) arm->is_wake_owed_ |= !arm->has_ended_ && arm->place_->notified;
    return is_ready;
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
};

std::optional<std::size_t> select_within(std::span<SelectArm* const> arms, const WaitLimit& limit) {
  return Selection(arms, limit).run();
}

}  // namespace wyvern::detail
