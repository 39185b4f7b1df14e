#include <algorithm>
#include <string>
#include <utility>

#include <wyvern/channels/payload.hpp>
#include <wyvern/channels/remote/guest_opening.hpp>
#include <wyvern/channels/ring.hpp>

// What becomes of what a guest puts.
namespace wyvern {

using wire::Frame;
using wire::FrameFlag;
using wire::FrameKind;

namespace {

/// The rest of the message is taken for more of the same.
std::size_t puts_expected(const Frame& frame) {
  return 1 + frame.followed_by / (sizeof(wire::FrameHeader) + frame.body.size());
}

}  // namespace

void GuestOpening::put_run(const Frame& frame) {
  if (frame.has(FrameFlag::answer) != (frame.operation != 0))
    fail("puts with a number and no answer, or the other way round");
  HeldPut put{.operation = frame.operation,
              .is_now = frame.has(FrameFlag::now),
              .is_run = true,
              .run = wire::PutRun(frame.body)};
  if (put.operation == 0) {
    if (put.is_now) fail("puts ahead that wait for nothing");
    check_window(put.run);
  } else if (!begin(put.operation)) {
    return;
  }
  if (is_closing_) return turn_back(put);
  if (held_.empty() && queue_->adopted() == 0) {
    while (!put.run.empty() && put_some(put, put.run.count())) continue;
  }
  if (put.run.empty()) return;
  put.is_now ? end_run(FrameKind::went_in, put) : hold_run(std::move(put));
}

/// Of what is put ahead.
void GuestOpening::check_window(const wire::PutRun& run) const {
  if (std::uint64_t{held_ahead_} + (ahead_ended_ - ahead_told_) + run.count() > window())
    fail("more messages ahead of their answers than the window has");
  if (held_ahead_ + run.count() > 1 && held_bytes_ + run.held_bytes() > guest_.limits.window_bytes)
    fail("more bytes ahead of their answers than the window has");
}

void GuestOpening::put(const Frame& frame, const wire::ReceivedCargo& received,
                       std::vector<Carried> carried) {
  if (!frame.has(FrameFlag::answer)) fail("a single put that wants no answer");
  const bool is_now = frame.has(FrameFlag::now);
  if (!begin(frame.operation)) return;
  if (is_closing_) return end_with(FrameKind::closed, frame.operation);
  HeldPut put{.operation = frame.operation,
              .is_now = is_now,
              .is_ahead = frame.has(FrameFlag::ahead),
              .carried = std::move(carried),
              .memory = received.cargo.memory};
  const bool is_large = put.memory.size != 0;
  const bool is_next = held_.empty() && queue_->adopted() == 0;
  if (is_next && !is_large && try_put(put, received.cargo.payload, puts_expected(frame))) return;
  // One that does not wait for room is put if nothing is before it; whether there is room shows when its
  // payload and what it carries are there.
  if (is_now && !is_next) return end_with(FrameKind::nothing, frame.operation);
  put.payload.assign(received.cargo.payload.begin(), received.cargo.payload.end());
  hold(std::move(put));
}

/// False: it is refused, since it would be too much.
bool GuestOpening::may_hold(std::uint32_t operation, std::size_t bytes) {
  if (guest_.held_bytes + bytes <= guest_.limits.held_bytes) return true;
  refuse(operation, OutOfMemory("a process has " + std::to_string(guest_.held_bytes >> 20) +
                                " MiB of messages waiting for room in queues of this node, the most it can "
                                "have; " +
                                queue_->local().description() + " is full"));
  return false;
}

void GuestOpening::hold(HeldPut put) {
  const std::size_t bytes = wire::held_bytes(put.payload.size());
  if (!may_hold(put.operation, bytes)) return;
  guest_.held_bytes += bytes;
  held_.push_back(std::move(put));
  queue_->wait_for_room(*this);
}

void GuestOpening::hold_run(HeldPut put) {
  if (!may_hold(put.operation, put.run.held_bytes())) {
    if (put.operation == 0) count_ahead_ended(put.run.count());
    return;
  }
  put.payload.assign(put.run.body().begin(), put.run.body().end());
  put.run = wire::PutRun(put.payload);
  hold_more(put.operation, put.run);
  held_.push_back(std::move(put));
  queue_->wait_for_room(*this);
}

void GuestOpening::hold_more(std::uint32_t operation, const wire::PutRun& run) {
  guest_.held_bytes += run.held_bytes();
  if (operation != 0) return;
  held_bytes_ += run.held_bytes();
  held_ahead_ += run.count();
}

void GuestOpening::hold_less(std::uint32_t operation, const wire::PutRun& run) {
  guest_.held_bytes -= run.held_bytes();
  if (operation != 0) return;
  held_bytes_ -= run.held_bytes();
  held_ahead_ -= run.count();
}

void GuestOpening::stop_holding(const HeldPut& put) {
  if (put.is_run) return hold_less(put.operation, put.run);
  guest_.held_bytes -= wire::held_bytes(put.payload.size());
}

/// A run whose rest does not go in; told is how many did, if that is waited for.
void GuestOpening::end_run(FrameKind kind, HeldPut& put) {
  end_with_number(kind, put.operation, put.went_in);
}

/// A run that meets the close.
void GuestOpening::turn_back(HeldPut& put) {
  if (put.operation != 0) {
    end_run(FrameKind::closed_after, put);
  } else {
    turned_back_ += put.run.count();
    say(FrameKind::turned_back, turned_back_);
    count_ahead_ended(put.run.count());
  }
  put.run.clear();
}

/// Who waits for room is turned back by a close of its own process; what was put ahead is not.
void GuestOpening::turn_back_answered() {
  for (auto put = held_.begin(); put != held_.end();) {
    if (put->operation == 0 || put->is_ahead) {
      ++put;
      continue;
    }
    put->is_run ? end_run(FrameKind::closed_after, *put) : end_with(FrameKind::closed, put->operation);
    abandon(*put);
    stop_holding(*put);
    put = held_.erase(put);
  }
}

/// False: it has to wait.
bool GuestOpening::try_put(HeldPut& put, std::span<const std::byte> payload, std::size_t expected) {
  try {
    const PutOutcome outcome = put_into_queue(put, payload, expected);
    if (outcome != PutOutcome::done && !(put.is_now && outcome == PutOutcome::full)) return false;
    end_with(outcome == PutOutcome::done ? FrameKind::accepted : FrameKind::nothing, put.operation);
  } catch (const QueueClosed&) {
    end_with(FrameKind::closed, put.operation);
  } catch (const Error& error) {
    refuse(put.operation, error);
  }
  return true;
}

/// Of a run as many as there is room for, at most `most`. False: there is none.
bool GuestOpening::put_some(HeldPut& put, std::uint32_t most) {
  const bool is_answered = put.operation != 0;
  const std::uint32_t before = put.run.count();
  const auto note_ended = [&] {
    const std::uint32_t ended = before - put.run.count();
    is_answered ? void(put.went_in += ended) : count_ahead_ended(ended);
    return ended != 0;
  };
  try {
    queue_->put(put.run, most);
  } catch (const QueueClosed&) {
    note_ended();
    turn_back(put);
    return true;
  } catch (const Error& error) {
    refuse(put.operation, error);
    if (is_answered) {  // which ends all
      put.run.clear();
      return true;
    }
    put.run.pop();
  }
  const bool any = note_ended();
  if (is_answered && put.run.empty()) end_run(FrameKind::went_in, put);
  return any;
}

/// The guest is told often enough that it does not have to wait, and when there is nothing more to do.
void GuestOpening::count_ahead_ended(std::uint32_t count) {
  if (count == 0) return;
  if (ahead_ended_ == ahead_told_) guest_.untold.push_back(this);
  ahead_ended_ += count;
  if (ahead_ended_ - ahead_told_ >= std::max(1U, window() / 4)) tell_credit();
}

GuestOpening::PutOutcome GuestOpening::put_into_queue(HeldPut& put, std::span<const std::byte> payload,
                                                      std::size_t expected) {
  if (put.handles.size() != put.carried.size() && !find_handles(put)) return PutOutcome::not_there;
  if (put.memory.size != 0) return put_large(put);
  return queue_->put(payload, put.handles, expected) ? PutOutcome::done : PutOutcome::full;
}

/// False: what stands for a queue of another node is not there yet.
bool GuestOpening::find_handles(HeldPut& put) {
  std::vector<ObjectReference> handles;
  for (const Carried& carried : put.carried) {
    const auto found =
        carried.stand_in == nullptr ? carried.queue->local().reference() : carried.stand_in->reference();
    if (!found) return false;
    handles.push_back(*found);
  }
  put.handles = std::move(handles);
  return true;
}

/// First memory, then the bytes, then a place in the queue.
GuestOpening::PutOutcome GuestOpening::put_large(HeldPut& put) {
  LocalChannel& local = queue_->local();
  if (put.large == nullptr && !begin_to_fetch(put)) return PutOutcome::full;
  if (!put.large->result) return PutOutcome::not_there;
  if (*put.large->result != ReadResult::done) {
    throw ErrorOf<ErrorCode::unreachable>("put: the message, of " + std::to_string(put.memory.size) +
                                          " bytes, could not be read from the process that put it into " +
                                          local.description());
  }
  if (!put.handles.empty()) put.large->loan.carry(put.memory.size, put.handles);
  return queue_->put(put.large->loan) ? PutOutcome::done : PutOutcome::full;
}

/// False: there is no room for it.
bool GuestOpening::begin_to_fetch(HeldPut& put) {
  if (!queue_->may_fetch()) return false;
  LocalChannel& local = queue_->local();
  local.check_size(put.memory.size);  // before it is added to
  auto loan = local.loan(message_bytes(put.memory.size, put.handles.size()), WaitLimit::now());
  if (!loan) return false;
  auto region = guest_.endpoint.register_memory(loan->bytes());
  auto large =
      std::make_unique<LargePut>(*this, guest_.peer, put.memory, std::move(*loan), std::move(region));
  guest_.endpoint.read(*large);
  put.large = std::move(large);
  queue_->fetch_begins();
  guest_.incoming.begun(Deadline::Clock::now());
  return true;
}

/// While the first is fetched, so that the network is not idle between them.
void GuestOpening::fetch_next() {
  if (held_.size() < 2 || held_[0].large == nullptr) return;
  HeldPut& next = held_[1];
  if (next.memory.size == 0 || next.large != nullptr || next.is_now) return;
  try {
    begin_to_fetch(next);
  } catch (const Error&) {
    // It is told when it is its turn.
  }
}

bool GuestOpening::serve_put(bool is_alone) {
  const LocalChannel& local = queue_->local();
  HeldPut& put = held_.front();
  const bool is_simple = put.memory.size == 0 && put.carried.empty();
  const bool may_go = !is_simple || ring::has_room_or_end(local.view()) || local.closing();
  if (!may_go) return false;
  if (put.is_run) return serve_run(put, is_alone);
  if (!try_put(put, put.payload, held_.size())) {
    fetch_next();
    return false;
  }
  drop_held(held_.begin());
  return true;
}

bool GuestOpening::serve_run(HeldPut& put, bool is_alone) {
  const wire::PutRun before = put.run;
  const bool any = put_some(put, is_alone ? put.run.count() : 1);
  hold_less(put.operation, before);
  hold_more(put.operation, put.run);
  if (put.run.empty()) drop_held(held_.begin());
  return any;
}

void GuestOpening::drop_held(std::deque<HeldPut>::iterator put) {
  stop_holding(*put);
  abandon(*put);
  held_.erase(put);
  end_holding();
}

/// If it is fetched, or being fetched.
void GuestOpening::abandon(HeldPut& put) {
  std::unique_ptr<LargePut> large = std::move(put.large);
  if (large == nullptr) return;
  queue_->fetch_ends();
  if (!large->is_running()) return;
  large->opening = nullptr;
  guest_.abandoned.push_back({.queue = queue_, .put = std::move(large)});
}

void GuestOpening::tell_credit() {
  if (ahead_told_ == ahead_ended_) return;
  std::erase(guest_.untold, this);
  ahead_told_ = ahead_ended_;
  say(FrameKind::credit, ahead_ended_);
}

/// When nothing is held, nor kept of a former visit: whoever waited for that goes on.
void GuestOpening::end_holding() {
  if (!held_.empty()) return;
  if (queue_->adopted() != 0) {
    if (!joins_.empty() || !flushes_.empty() || !closes_.empty()) queue_->wait_for_adopted(*this);
    return;
  }
  for (const std::uint32_t operation : std::exchange(joins_, {})) queue_->join(*this, operation);
  if (!flushes_.empty()) {
    tell_credit();
    for (const std::uint32_t operation : std::exchange(flushes_, {}))
      end_with(FrameKind::accepted, operation);
  }
  close_behind();
}

void GuestOpening::close_behind() {
  if (closes_.empty()) return;
  queue_->local().close();
  tell_credit();
  for (const std::uint32_t operation : std::exchange(closes_, {})) end_with(FrameKind::accepted, operation);
}

}  // namespace wyvern
