#include <algorithm>
#include <utility>

#include <wyvern/channels/local_batch.hpp>
#include <wyvern/core/crash_point.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/spin.hpp>

// What a batch does between its bursts.
namespace wyvern {
namespace {

std::uint32_t burst_of(std::size_t messages) {
  return static_cast<std::uint32_t>(std::min<std::size_t>(messages, ring::longest_burst));
}

}  // namespace

PutBatch::PutBatch(LocalChannel& channel, std::size_t expected, const WaitLimit& limit)
    : channel_(channel), limit_(limit), to_come_(expected) {
  Member::check_not_forked();
}

void PutBatch::wake_takers() {
  if (unwoken_ != 0) {
    channel_.view_.header().getters.wake_some(channel_.view_.segment(), std::exchange(unwoken_, 0));
    CRASH_POINT("put_many.woken");
  }
}

/// A batch for a queue that is nearly full waits a little until there is room for a burst: place by place,
/// both sides would work on the same lines all the time, and the takers have a full queue to go on with.
void PutBatch::linger() const {
  constexpr int looks = 20;  // a microsecond or two in all
  constexpr int pauses_between = 8;
  const RingView& view = channel_.view_;
  const std::uint32_t wanted = std::min(burst_of(to_come_), view.capacity() / 2);
  for (int look = 0; look < looks && ring::ready_approx(view, IntentKind::put) < wanted; ++look) {
    for (int i = 0; i < pauses_between; ++i) spin_pause();
  }
}

bool PutBatch::put_slowly(std::span<const std::byte> payload, std::span<const ObjectReference> handles) {
  if (closed_) return false;
  if (channel_.closing()) {
    closed_ = true;
    return false;
  }
  burst_.end();  // the port is used for something else
  if (message_bytes(payload.size(), handles.size()) > channel_.view_.inline_size())
    return put_through_channel(payload, handles);
  if (!port_) port_.emplace(channel_.borrow_port());
  if (to_come_ > 1 && handles.empty()) {
    if (!limit_.is_now()) {
      wake_takers();
      linger();
    }
    burst_.look(channel_.view_, **port_, burst_of(to_come_));
    if (put_in_burst(payload, handles)) return true;
  }
  const RingOutcome outcome = channel_.write_and_put(**port_, payload, handles);
  if (outcome == RingOutcome::done) {
    ++unwoken_;
    return true;
  }
  if (outcome == RingOutcome::closed) {
    closed_ = true;
    return false;
  }
  return put_through_channel(payload, handles);
}

/// The way of a single put: for what has to wait. Takers are woken before, and the port is given back: who
/// waits holds none.
bool PutBatch::put_through_channel(std::span<const std::byte> payload,
                                   std::span<const ObjectReference> handles) {
  wake_takers();
  port_.reset();
  try {
    return channel_.put(payload, handles, limit_);
  } catch (const QueueClosed&) {
    closed_ = true;
    return false;
  }
}

TakeBatch::TakeBatch(LocalChannel& channel, std::size_t most, const WaitLimit& limit)
    : channel_(channel), limit_(limit), most_(most) {
  Member::check_not_forked();
}

std::size_t TakeBatch::expected() const {
  return std::min<std::uint64_t>(most_, ring::ready_approx(channel_.view_, IntentKind::get) + 1);
}

void TakeBatch::finish() {
  release_message();
  if (unwoken_ != 0) {
    channel_.view_.header().putters.wake_some(channel_.view_.segment(), std::exchange(unwoken_, 0));
    CRASH_POINT("get_many.woken");
  }
}

std::optional<std::span<const std::byte>> TakeBatch::first() {
  first_ = channel_.take(IntentKind::get, limit_);
  if (!first_) return std::nullopt;
  ++count_;
  return first_->bytes();
}

std::optional<std::span<const std::byte>> TakeBatch::next_slowly() {
  if (count_ == 0) return first();
  first_.reset();
  const RingView& view = channel_.view_;
  if (!port_) port_.emplace(channel_.borrow_port());
  burst_.end();  // the port is used for something else
  if (!may_be_given_back(view)) {
    burst_.look(view, **port_, burst_of(most_ - count_));
    if (!burst_.is_over() && burst_.operate(view)) return received(burst_.block());
  }
  if (channel_.try_take(*port_, IntentKind::get) != RingOutcome::done) return std::nullopt;
  return received(spare_block(view, **port_));
}

}  // namespace wyvern
