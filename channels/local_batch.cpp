#include <algorithm>
#include <utility>

#include <wyvern/channels/given_back.hpp>
#include <wyvern/channels/local_batch.hpp>
#include <wyvern/channels/payload.hpp>
#include <wyvern/core/crash_point.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern {
namespace {

/// Lines that are fetched ahead at a time: as many messages as a core's buffers for misses can take.
constexpr std::size_t burst = 32;

std::uint32_t burst_of(std::size_t to_come) { return static_cast<std::uint32_t>(std::min(to_come, burst)); }

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

bool PutBatch::put(std::span<const std::byte> payload, std::span<const ObjectReference> handles) {
  if (closed_) return false;
  const bool small = message_bytes(payload.size(), handles.size()) <= channel_.view_.inline_size();
  const bool done = small ? put_small(payload, handles) : put_through_channel(payload, handles);
  if (to_come_ != 0) --to_come_;
  count_ += done;
  // How long it takes until another one comes, if any does, nobody knows.
  if (to_come_ == 0) wake_takers();
  return done;
}

bool PutBatch::put_small(std::span<const std::byte> payload, std::span<const ObjectReference> handles) {
  if (channel_.closing()) {
    closed_ = true;
    return false;
  }
  if (!port_) port_.emplace(channel_.borrow_port());
  if (fetched_ == 0) fetched_ = ring::expect_room(channel_.view_, burst_of(to_come_));
  const RingOutcome outcome = channel_.write_and_put(**port_, payload, handles);
  if (outcome == RingOutcome::done) {
    if (fetched_ != 0) --fetched_;
    ++unwoken_;
    return true;
  }
  fetched_ = 0;
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
  return std::min<std::uint64_t>(most_, ring::size_approx(channel_.view_) + 1);
}

void TakeBatch::finish() {
  if (std::exchange(holds_message_, false)) {
    const std::uint32_t block = (*port_)->spare().block();
    if (holds_payload(channel_.view_.block(block))) release_payload(channel_.view_, block);
  }
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

std::optional<std::span<const std::byte>> TakeBatch::next() {
  if (count_ == most_) return std::nullopt;
  if (count_ == 0) return first();
  first_.reset();
  const RingView& view = channel_.view_;
  if (std::exchange(holds_message_, false)) {
    const std::uint32_t block = (*port_)->spare().block();
    if (holds_payload(view.block(block))) release_payload(view, block);
  }
  if (!port_) port_.emplace(channel_.borrow_port());
  if (fetched_ == 0) fetched_ = ring::expect_messages(view, burst_of(most_ - count_));
  if (channel_.try_take(*port_, IntentKind::get) != RingOutcome::done) return std::nullopt;
  if (fetched_ != 0) --fetched_;
  ++count_;
  ++unwoken_;
  holds_message_ = true;
  BlockHeader& block = spare_block(view, **port_);
  return std::span<const std::byte>(payload_memory(view, block), block.length);
}

}  // namespace wyvern
