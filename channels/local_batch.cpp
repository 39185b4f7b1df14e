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

/// So many went in, and fewer are to come.
void PutBatch::add(std::uint32_t puts) {
  count_ += puts;
  to_come_ -= std::min<std::size_t>(to_come_, puts);
  if (to_come_ == 0) wake_takers();
}

void PutBatch::add_run(std::uint32_t puts) {
  unwoken_ += puts;
  add(puts);
}

bool PutBatch::put_slowly(std::span<const std::byte> payload, std::span<const ObjectReference> handles) {
  const bool done = try_slowly(payload, handles);
  add(done ? 1 : 0);
  return done;
}

bool PutBatch::try_slowly(std::span<const std::byte> payload, std::span<const ObjectReference> handles) {
  if (closed_) return false;
  if (channel_.closing()) {
    closed_ = true;
    return false;
  }
  burst_.end();  // the port is used for something else
  if (message_bytes(payload.size(), handles.size()) > channel_.view_.inline_size() ||
      any_elsewhere(handles, channel_.reference_.id.node()))
    return put_through_channel(payload, handles);
  if (!port_) port_.emplace(channel_.borrow_port());
  if (to_come_ > 1 && handles.empty() && put_in_new_burst(payload)) return true;
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

bool PutBatch::put_in_new_burst(std::span<const std::byte> payload) {
  const RingView& view = channel_.view_;
  if (!limit_.is_now()) {
    wake_takers();
    linger();
  }
  burst_.look(view, **port_, burst_of(to_come_));
  if (burst_.is_over()) return false;
  auto run = burst_.run(view);
  write_message(view, run.block(), payload, {});
  const bool done = run.operate(burst_, view);
  unwoken_ += burst_.keep(run);
  if (!done) burst_.end();
  return done;
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

void TakeBatch::add_run(std::uint32_t gets) {
  unwoken_ += gets;
  count_ += gets;
}

/// A payload outside its block, or handles, are to be released when the message has been read.
TakeBatch::Bytes TakeBatch::hold(BlockHeader& block) {
  holds_payload_ = holds_payload(block);
  return {payload_memory(channel_.view_, block), block.length};
}

void TakeBatch::release_message() {
  if (std::exchange(holds_payload_, false)) release_payload(channel_.view_, (*port_)->spare().block());
}

void TakeBatch::finish() {
  release_message();
  if (unwoken_ != 0) {
    channel_.view_.header().putters.wake_some(channel_.view_.segment(), std::exchange(unwoken_, 0));
    CRASH_POINT("get_many.woken");
  }
}

TakeBatch::Bytes TakeBatch::first() {
  const RingView& view = channel_.view_;
  if (most_ > 1 && channel_.port_at_hand() != nullptr && !may_be_given_back(view)) {
    port_.emplace(channel_.borrow_port());
    burst_.look(view, **port_, burst_of(most_));
    if (const Bytes message = take_in_burst(); message.data() != nullptr) return message;
    port_.reset();  // who waits holds none
  }
  first_ = channel_.take(IntentKind::get, limit_);
  if (!first_) return {};
  ++count_;
  return first_->bytes();
}

/// Nothing: the burst is over.
TakeBatch::Bytes TakeBatch::take_in_burst() {
  if (burst_.is_over()) return {};
  auto run = burst_.run(channel_.view_);
  const bool done = run.operate(burst_, channel_.view_);
  burst_.keep(run);
  if (done) return received(run.block());
  burst_.end();
  return {};
}

TakeBatch::Bytes TakeBatch::next_slowly() {
  release_message();
  if (count_ == most_) return {};
  if (count_ == 0) return first();
  first_.reset();
  const RingView& view = channel_.view_;
  if (!port_) port_.emplace(channel_.borrow_port());
  if (!may_be_given_back(view)) {
    if (const Bytes message = take_in_burst(); message.data() != nullptr) return message;
    burst_.look(view, **port_, burst_of(most_ - count_));
    if (const Bytes message = take_in_burst(); message.data() != nullptr) return message;
  }
  burst_.end();  // the port is used for something else
  if (channel_.try_take(*port_, IntentKind::get) != RingOutcome::done) return {};
  return received(spare_block(view, **port_));
}

}  // namespace wyvern
