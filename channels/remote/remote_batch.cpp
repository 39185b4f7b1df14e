#include <algorithm>
#include <cstdint>
#include <exception>
#include <list>
#include <optional>
#include <ranges>
#include <utility>

#include <wyvern/channels/remote/put_run.hpp>
#include <wyvern/channels/remote/remote_batch.hpp>
#include <wyvern/channels/remote/remote_channel.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/fiber/active.hpp>

namespace wyvern {
namespace {

/// Each takes one of the operations that an opening may have at a time.
constexpr std::size_t most_runs = 64;

}  // namespace

using wire::flag;
using wire::FrameFlag;
using wire::FrameKind;

/// Under the lock of the access.
struct RemotePutBatch::Runs {
  /// Its answer says how many of it went in.
  struct Run : NumberedOperation {
    std::uint32_t count = 0;
    std::size_t held_bytes = 0;
  };

  explicit Runs(RemoteChannel& channel) : all(channel.batches_) {}

  bool empty() const { return pending.empty(); }
  Run& begin(RemoteNode& node) {
    std::list<Run> one(1);
    one.front().number = node.begin(one.front().operation);
    pending.splice(pending.end(), one);
    ++all.runs;
    return pending.back();
  }
  void count_in(Run& run, std::size_t bytes) {
    ++run.count;
    ++all.count;
    run.held_bytes += wire::held_bytes(bytes);
    all.held_bytes += wire::held_bytes(bytes);
  }
  void pop_front() {
    --all.runs;
    all.count -= pending.front().count;
    all.held_bytes -= pending.front().held_bytes;
    pending.pop_front();
  }

  RemoteChannel::PutsOfBatches& all;
  std::list<Run> pending;                // first to last; the last one may not be sent yet, and grow
  std::optional<wire::Refusal> refusal;  // the first
};

RemotePutBatch::RemotePutBatch(RemoteChannel& channel, const WaitLimit& limit)
    : channel_(channel), limit_(limit), runs_(std::make_unique<Runs>(channel)) {
  Member::check_not_forked();
}

RemotePutBatch::~RemotePutBatch() {
  if (runs_->empty()) return;
  try {
    Lock lock = channel_.access_.lock();
    while (!runs_->empty()) wait_for_answers(lock);
  } catch (const std::exception&) {
    // Out of memory, or of places to wait: what is said is said, and nobody hears what became of it.
  }
  const Lock lock = channel_.access_.lock();
  while (!runs_->empty()) runs_->pop_front();
}

bool RemotePutBatch::put(std::span<const std::byte> payload, std::span<const ObjectReference> handles) {
  if (is_over_) return false;
  channel_.check_message(payload.size(), handles);
  const bool goes_alone = !channel_.is_small({.handles = handles, .payload = payload}) ||
                          (!handles.empty() && limit_.is_now()) ||
                          any_elsewhere(handles, channel_.reference_.id.node());
  Lock lock = channel_.access_.lock();
  if (runs_->empty() && count_ == 0) channel_.check_ahead("put");
  collect();
  while (goes_alone ? !runs_->empty() : !may_put(payload.size())) wait_for_answers(lock);
  check();
  if (is_over_) return false;
  if (goes_alone) {
    lock.unlock();
    return put_alone(payload, handles);
  }
  handles.empty() ? add_to_run(payload) : add_with_handles(payload, handles);
  return true;
}

/// Beside those that have no answer yet, of other batches as well; but one of each batch.
bool RemotePutBatch::may_put(std::size_t bytes) const {
  if (runs_->empty() || is_over_) return true;
  if (limit_.is_now()) return is_open(bytes);
  const RemoteChannel::PutsOfBatches& all = channel_.batches_;
  return all.count < channel_.terms_.window &&
         all.held_bytes + wire::held_bytes(bytes) <= channel_.terms_.window_bytes &&
         (all.runs < most_runs || is_open(bytes));
}

/// The last run, for a message of so many bytes.
bool RemotePutBatch::is_open(std::size_t bytes) const {
  return !runs_->empty() && channel_.node_->outbox().has_run(channel_.opening_, runs_->pending.back().number,
                                                             wire::PutRun::bytes_of(bytes));
}

void RemotePutBatch::add_to_run(std::span<const std::byte> payload) {
  RemoteNode& node = *channel_.node_;
  const bool is_continued = is_open(payload.size());
  wire::FrameBuffer& room = node.outbox().room_for(wire::PutRun::bytes_of(payload.size()));
  Runs::Run& run = is_continued ? runs_->pending.back() : runs_->begin(node);
  const auto flags =
      static_cast<wire::FrameFlags>(flag(FrameFlag::answer) | (limit_.is_now() ? flag(FrameFlag::now) : 0));
  room.add_to_run(flags, channel_.opening_, run.number, payload);
  runs_->count_in(run, payload.size());
  // Half of what may be under way is sent, so that the home is busy while the other half is put.
  run.count == channel_.terms_.window / 2 ? channel_.access_.send(node) : channel_.access_.send_soon(node);
}

void RemotePutBatch::add_with_handles(std::span<const std::byte> payload,
                                      std::span<const ObjectReference> handles) {
  RemoteNode& node = *channel_.node_;
  const wire::Cargo cargo{.handles = handles, .payload = payload};
  node.outbox().room_for(wire::FrameBuffer::cargo_bytes(cargo, false));  // memory first
  Runs::Run& run = runs_->begin(node);
  channel_.say_put(cargo, run.number, wire::FrameFlags{});
  runs_->count_in(run, payload.size());
  channel_.access_.send_soon(node);
}

/// What is put before it is in the queue.
bool RemotePutBatch::put_alone(std::span<const std::byte> payload, std::span<const ObjectReference> handles) {
  try {
    is_over_ = !channel_.put(payload, handles, limit_);
  } catch (const QueueClosed&) {
    is_over_ = closed_ = true;
  }
  if (!is_over_) ++count_;
  return !is_over_;
}

std::size_t RemotePutBatch::finish() {
  Lock lock = channel_.access_.lock();
  while (!runs_->empty()) wait_for_answers(lock);
  check();
  if (closed_ && count_ == 0) channel_.throw_closed("put");
  return count_;
}

/// At least of the first run; when the limit has passed, or one was refused, of all, which are withdrawn.
void RemotePutBatch::wait_for_answers(Lock& lock) {
  RemoteNode& node = *channel_.node_;
  std::list<Runs::Run>& pending = runs_->pending;
  channel_.access_.send_before_wait(node);
  // Who does not wait for room does for the answer.
  const WaitLimit until = limit_.is_now() ? WaitLimit::never() : limit_;
  const auto is_any_there = [&] { return node.lost() || pending.front().operation.is_over(); };
  if (is_over_ || runs_->refusal || !channel_.access_.wait(lock, is_any_there, until)) {
    // The last one first, so that nothing goes in behind what does not.
    for (Runs::Run& run : std::views::reverse(pending)) {
      if (!run.operation.is_over()) channel_.say(FrameKind::cancel, run.number);
    }
    channel_.access_.send_before_wait(node);
    const auto are_all_there = [&] {
      return node.lost() ||
             std::ranges::all_of(pending, [](const Runs::Run& run) { return run.operation.is_over(); });
    };
    channel_.access_.wait_through(lock, are_all_there);
    is_over_ = true;
  }
  collect();
}

/// The answers that are there, in order.
void RemotePutBatch::collect() {
  RemoteNode& node = *channel_.node_;
  for (; !runs_->empty(); runs_->pop_front()) {
    Runs::Run& run = runs_->pending.front();
    if (!run.operation.is_over() && !node.lost()) return;
    if (!run.operation.is_over()) {
      node.leave(run.number);
      continue;
    }
    node.end(run.number);
    if (run.operation.outcome == FrameKind::refused) {
      if (!runs_->refusal) runs_->refusal = std::move(run.operation.refusal);
      continue;
    }
    const FrameKind outcome = run.operation.outcome;
    const std::size_t went_in =
        outcome == FrameKind::accepted ? run.count : std::min<std::uint64_t>(run.operation.value, run.count);
    count_ += went_in;
    if (went_in < run.count) is_over_ = true;
    if (outcome == FrameKind::closed_after || outcome == FrameKind::closed) closed_ = true;
  }
}

/// For what ends a batch with an exception.
void RemotePutBatch::check() {
  if (channel_.node_->lost()) RemoteAccess::throw_lost(*channel_.node_);
  if (runs_->refusal) {
    is_over_ = true;
    const auto refusal = std::exchange(runs_->refusal, std::nullopt);
    throw_error(refusal->code, refusal->text);
  }
  if (is_over_ && !closed_) detail::throw_if_fiber_ended();
}

}  // namespace wyvern
