#include <algorithm>
#include <deque>
#include <exception>
#include <optional>
#include <ranges>
#include <utility>

#include <wyvern/channels/remote/remote_batch.hpp>
#include <wyvern/channels/remote/remote_channel.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/fiber/active.hpp>

namespace wyvern {
namespace {

/// Each takes one of the operations that an opening may have at a time.
constexpr std::size_t most_under_way = 64;

}  // namespace

using wire::FrameKind;

struct RemotePutBatch::Answers {
  std::deque<NumberedOperation> pending;  // first to last
  std::optional<wire::Refusal> refusal;   // the first
};

RemotePutBatch::RemotePutBatch(RemoteChannel& channel, const WaitLimit& limit)
    : channel_(channel), limit_(limit), answers_(std::make_unique<Answers>()) {
  Member::check_not_forked();
}

RemotePutBatch::~RemotePutBatch() {
  if (answers_->pending.empty()) return;
  RemoteAccess::Lock lock = channel_.access_.lock();
  try {
    wait_for_answers(lock, 0);
  } catch (const std::exception&) {
    // Out of memory, or of places to wait: what is said is said, and nobody hears what became of it.
  }
  answers_->pending.clear();
}

bool RemotePutBatch::put(std::span<const std::byte> payload, std::span<const ObjectReference> handles) {
  if (is_over_) return false;
  channel_.check_message(payload.size(), handles);
  // A handle may go as soon as this returns, and its home would hear of that before of the message.
  const bool may_be_ahead = !limit_.is_now() && !any_elsewhere(handles, channel_.reference_.id.node()) &&
                            channel_.is_small({.handles = handles, .payload = payload});
  return may_be_ahead ? put_ahead(payload, handles) : put_alone(payload, handles);
}

bool RemotePutBatch::put_ahead(std::span<const std::byte> payload, std::span<const ObjectReference> handles) {
  RemoteAccess::Lock lock = channel_.access_.lock();
  if (channel_.node_->lost()) RemoteAccess::throw_lost(*channel_.node_);
  const std::size_t window = std::clamp<std::size_t>(channel_.terms_.window, 1, most_under_way);
  if (answers_->pending.size() >= window) wait_for_answers(lock, window - 1);
  collect();
  check_refusal();
  throw_if_cut_short();
  if (is_over_) return false;
  NumberedOperation& put = answers_->pending.emplace_back();
  put.number = channel_.node_->begin(put.operation);
  channel_.say_put({.handles = handles, .payload = payload}, put.number, wire::FrameFlags{});
  channel_.access_.send_soon(*channel_.node_);
  return true;
}

/// What is put before it is in the queue first.
bool RemotePutBatch::put_alone(std::span<const std::byte> payload, std::span<const ObjectReference> handles) {
  if (!answers_->pending.empty()) {
    RemoteAccess::Lock lock = channel_.access_.lock();
    wait_for_answers(lock, 0);
    check_refusal();
    throw_if_cut_short();
  }
  if (is_over_) return false;
  try {
    is_over_ = !channel_.put(payload, handles, limit_);
  } catch (const QueueClosed&) {
    is_over_ = closed_ = true;
  }
  if (!is_over_) ++count_;
  return !is_over_;
}

std::size_t RemotePutBatch::finish() {
  if (!answers_->pending.empty()) {
    RemoteAccess::Lock lock = channel_.access_.lock();
    wait_for_answers(lock, 0);
    if (channel_.node_->lost()) RemoteAccess::throw_lost(*channel_.node_);
  }
  check_refusal();
  throw_if_cut_short();
  if (closed_ && count_ == 0) channel_.throw_closed("put");
  return count_;
}

/// Until at most so many are missing; when the limit has passed, or the node is lost, until none is.
void RemotePutBatch::wait_for_answers(RemoteAccess::Lock& lock, std::size_t most_left) {
  RemoteNode& node = *channel_.node_;
  std::deque<NumberedOperation>& pending = answers_->pending;
  channel_.access_.send_before_wait(node);
  const auto are_few_left = [&] {  // the home answers in order
    return node.lost() || pending[pending.size() - 1 - most_left].operation.is_over();
  };
  if (!channel_.access_.wait(lock, are_few_left, limit_)) {
    // The last one first, so that none is accepted behind one that is not.
    for (NumberedOperation& put : std::views::reverse(pending)) {
      if (!put.operation.is_over()) channel_.say(FrameKind::cancel, put.number);
    }
    channel_.access_.send_before_wait(node);
    const auto is_none_left = [&] {
      return node.lost() ||
             std::ranges::all_of(pending, [](const auto& put) { return put.operation.is_over(); });
    };
    channel_.access_.wait_through(lock, is_none_left);
    is_over_ = true;
  }
  collect();
}

/// The answers that are there, in order.
void RemotePutBatch::collect() {
  RemoteNode& node = *channel_.node_;
  for (; !answers_->pending.empty(); answers_->pending.pop_front()) {
    NumberedOperation& put = answers_->pending.front();
    if (!put.operation.is_over()) {
      if (!node.lost()) return;
      node.leave(put.number);
      continue;
    }
    node.end(put.number);
    switch (put.operation.outcome) {
      case FrameKind::accepted: ++count_; break;
      case FrameKind::refused:
        if (!answers_->refusal) answers_->refusal = std::move(put.operation.refusal);
        break;
      case FrameKind::closed: closed_ = true; [[fallthrough]];
      default: is_over_ = true;
    }
  }
}

/// By the end of the fiber that puts.
void RemotePutBatch::throw_if_cut_short() const {
  if (is_over_ && !closed_) detail::throw_if_fiber_ended();
}

void RemotePutBatch::check_refusal() {
  if (!answers_->refusal) return;
  is_over_ = true;
  const auto refusal = std::exchange(answers_->refusal, std::nullopt);
  throw_error(refusal->code, refusal->text);
}

}  // namespace wyvern
