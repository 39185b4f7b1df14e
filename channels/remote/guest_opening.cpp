#include <algorithm>
#include <string>
#include <utility>

#include <wyvern/channels/given_back.hpp>
#include <wyvern/channels/payload.hpp>
#include <wyvern/channels/remote/control_tables.hpp>
#include <wyvern/channels/remote/guest_opening.hpp>
#include <wyvern/channels/ring.hpp>

namespace wyvern {
namespace {

using wire::Frame;
using wire::FrameFlag;
using wire::FrameKind;

}  // namespace

GuestOpening::GuestOpening(std::uint32_t number, std::shared_ptr<ServedQueue> queue, Guest& guest)
    : number_(number), queue_(std::move(queue)), guest_(guest) {}

GuestOpening::~GuestOpening() {
  queue_->forget(*this);
  for (HeldPut& put : held_) {
    if (put.large == nullptr || !put.large->is_running()) continue;
    put.large->opening = nullptr;
    guest_.abandoned.emplace_back(queue_, std::move(put.large));
  }
  for (auto& [operation, delivery] : deliveries_) {
    const bool was_sent = delivery.in_message < guest_.outbox.sent();
    if (!was_sent) {
      delivery.message.put_back();
    } else if (delivery.kind == IntentKind::get) {
      delivery.message.get();
      ++not_reported_;
    }
  }
  deliveries_.clear();  // leases go back
  report_done();
  for (; not_reported_ != 0; --not_reported_) queue_->local().task_lost();
}

void GuestOpening::leave() {
  for (HeldPut& put : held_) {
    if (!put.is_answered && put.memory.size == 0) queue_->adopt(std::move(put.payload));
  }
}

void GuestOpening::fail(const char* what) const {
  throw DecodeError("a process of another node has sent something about " + queue_->local().description() +
                    " that cannot be: " + what);
}

void GuestOpening::say(FrameKind kind, std::uint32_t operation) {
  guest_.outbox.room_for(0).add(kind, 0, number_, operation);
}

void GuestOpening::say_value(std::uint32_t operation, std::uint64_t value) {
  guest_.outbox.room_for(sizeof value).add_value(number_, operation, value);
}

void GuestOpening::refuse(std::uint32_t operation, const Error& error) {
  const std::vector<std::byte> body = wire::encode_refused({.code = error.code(), .text = error.what()});
  guest_.outbox.room_for(body.size()).add(FrameKind::refused, 0, number_, operation, body);
}

void GuestOpening::deal_with(const Frame& frame) {
  switch (frame.kind) {
    case FrameKind::get: return get(frame);
    case FrameKind::cancel: return cancel(frame.operation);
    case FrameKind::received: return received(frame);
    case FrameKind::give_back: return give_back(frame);
    case FrameKind::done: return done(frame);
    case FrameKind::task_done: return tasks_done(frame.operation);
    case FrameKind::flush: return flush(frame.operation);
    case FrameKind::join: check_operations(); return queue_->join(*this, frame.operation);
    case FrameKind::size: {
      const RingView& view = queue_->local().view();
      return say_value(frame.operation, ring::size_approx(view) + given_back_count(view));
    }
    case FrameKind::close: queue_->local().close(); return say(FrameKind::accepted, frame.operation);
    default: fail("a frame that belongs to no queue");
  }
}

void GuestOpening::check_operations() const {
  if (deliveries_.size() + answers_held_ + queue_->waiting_of(*this) >= guest_.limits.operations)
    fail("more operations at a time than a process may have");
}

void GuestOpening::put(const Frame& frame, const wire::ReceivedCargo& received) {
  const bool is_answered = frame.has(FrameFlag::answer);
  if (is_answered) {
    check_operations();
  } else if (held_ahead_ + (ahead_ended_ - ahead_told_) >= guest_.limits.window) {
    fail("more messages ahead of their answers than the window has");
  }
  HeldPut put{.operation = frame.operation,
              .is_answered = is_answered,
              .handles = received.handles,
              .memory = received.cargo.memory};
  if (held_.empty() && put.memory.size == 0 && try_put(put, received.cargo.payload)) return;
  // A large one is put without waiting only if it can be fetched at once; whether there is room shows then.
  if (frame.has(FrameFlag::now) && (put.memory.size == 0 || !held_.empty()))
    return say_nothing(frame.operation);
  put.is_now = frame.has(FrameFlag::now);
  put.payload.assign(received.cargo.payload.begin(), received.cargo.payload.end());
  held_.push_back(std::move(put));
  ++(is_answered ? answers_held_ : held_ahead_);
  queue_->wait_for_room(*this);
}

/// False: it has to wait.
bool GuestOpening::try_put(HeldPut& put, std::span<const std::byte> payload) {
  try {
    const PutOutcome outcome = put_into_queue(put, payload);
    if (outcome != PutOutcome::done && !(put.is_now && outcome == PutOutcome::full)) return false;
    if (put.is_answered)
      say(outcome == PutOutcome::done ? FrameKind::accepted : FrameKind::nothing, put.operation);
  } catch (const QueueClosed&) {
    if (put.is_answered) {
      say_closed(put.operation);
    } else {
      say(FrameKind::turned_back, ++turned_back_);
    }
  } catch (const Error& error) {
    refuse(put.operation, error);
  }
  if (put.is_answered) return true;
  ++ahead_ended_;
  // Often enough that a guest does not have to wait, and not for each.
  if (ahead_ended_ - ahead_told_ >= std::max(1U, guest_.limits.window / 4)) tell_credit();
  return true;
}

GuestOpening::PutOutcome GuestOpening::put_into_queue(HeldPut& put, std::span<const std::byte> payload) {
  if (put.memory.size != 0) return put_large(put);
  return queue_->local().put(payload, put.handles, WaitLimit::now()) ? PutOutcome::done : PutOutcome::full;
}

/// First memory, then the bytes, then a place in the queue.
GuestOpening::PutOutcome GuestOpening::put_large(HeldPut& put) {
  LocalChannel& local = queue_->local();
  if (put.large == nullptr) {
    auto loan = local.loan(message_bytes(put.memory.size, put.handles.size()), WaitLimit::now());
    if (!loan) return PutOutcome::full;
    auto region = guest_.regions.get(loan->bytes());
    put.large =
        std::make_unique<LargePut>(*this, guest_.peer, put.memory, std::move(*loan), std::move(region));
    guest_.endpoint.read(*put.large);
  }
  if (!put.large->result) return PutOutcome::not_there;
  if (*put.large->result != ReadResult::done) {
    throw ErrorOf<ErrorCode::unreachable>("put: the message, of " + std::to_string(put.memory.size) +
                                          " bytes, could not be read from the process that put it into " +
                                          local.description());
  }
  if (!put.handles.empty()) put.large->loan.carry(put.memory.size, put.handles);
  return local.put(put.large->loan, WaitLimit::now()) ? PutOutcome::done : PutOutcome::full;
}

void GuestOpening::read_ended(LargePut& put, ReadResult result) { put.result = result; }

void GuestOpening::tell_credit() {
  ahead_told_ = ahead_ended_;
  say(FrameKind::credit, ahead_ended_);
}

bool GuestOpening::serve_put() {
  const LocalChannel& local = queue_->local();
  HeldPut& put = held_.front();
  const bool may_go = put.memory.size != 0 || ring::has_room_or_end(local.view()) || local.closing();
  if (!may_go || !try_put(put, put.payload)) return false;
  drop_held(held_.begin());
  return true;
}

void GuestOpening::drop_held(std::deque<HeldPut>::iterator put) {
  --(put->is_answered ? answers_held_ : held_ahead_);
  held_.erase(put);
  if (!held_.empty()) return;
  for (const std::uint32_t operation : std::exchange(flushes_, {})) flush(operation);
}

void GuestOpening::flush(std::uint32_t operation) {
  if (!held_.empty()) {
    check_operations();
    flushes_.push_back(operation);
    return;
  }
  tell_credit();
  say(FrameKind::accepted, operation);
}

void GuestOpening::get(const Frame& frame) {
  check_operations();
  if (deliveries_.contains(frame.operation)) fail("two gets of the same number");
  queue_->get(*this, frame.operation, frame.has(FrameFlag::lease) ? IntentKind::lease : IntentKind::get,
              frame.has(FrameFlag::now));
}

void GuestOpening::deliver(std::uint32_t operation, HeldMessage message, IntentKind kind) {
  const bool is_leased = kind == IntentKind::lease;
  wire::Cargo cargo{.deliveries = message.delivery_count(), .payload = message.bytes()};
  std::shared_ptr<RegisteredMemory> region;
  if (sizeof(wire::FrameHeader) + wire::FrameBuffer::cargo_bytes(cargo, is_leased) >
      guest_.endpoint.largest_message()) {
    // Only read by the guest: that the memory is ours to write as well is nobody's concern.
    const std::span<std::byte> bytes(const_cast<std::byte*>(cargo.payload.data()), cargo.payload.size());
    region = guest_.regions.get(bytes);
    cargo.memory = region->remote().part(static_cast<std::uint64_t>(bytes.data() - region->bytes().data()),
                                         bytes.size());
  }
  wire::FrameBuffer& room = guest_.outbox.room_for(wire::FrameBuffer::cargo_bytes(cargo, is_leased));
  room.add_cargo(FrameKind::delivery, is_leased ? wire::flag(FrameFlag::lease) : wire::FrameFlags{}, number_,
                 operation, cargo);
  deliveries_.emplace(operation, Delivery{.message = std::move(message),
                                          .kind = kind,
                                          .in_message = guest_.outbox.current_message(),
                                          .region = std::move(region)});
}

/// What is under way already ends by itself: the guest sees what came, and gives back what it does not want.
void GuestOpening::cancel(std::uint32_t operation) {
  if (queue_->cancel(*this, operation)) return say_nothing(operation);
  const auto put = std::ranges::find_if(
      held_, [&](const HeldPut& held) { return held.is_answered && held.operation == operation; });
  if (put == held_.end()) return;
  if (put->large != nullptr && !put->large->result) return;  // ends when it is there, or is not
  say_nothing(operation);
  drop_held(put);
}

GuestOpening::Delivery GuestOpening::take_delivery(const Frame& frame) {
  const auto found = deliveries_.find(frame.operation);
  if (found == deliveries_.end()) fail("the end of a delivery that there is not");
  Delivery delivery = std::move(found->second);
  deliveries_.erase(found);
  return delivery;
}

void GuestOpening::received(const Frame& frame) {
  Delivery delivery = take_delivery(frame);
  if (delivery.kind == IntentKind::lease) fail("a lease that is called received");
  delivery.message.get();
  ++not_reported_;
  report_done();
}

void GuestOpening::give_back(const Frame& frame) {
  Delivery delivery = take_delivery(frame);
  // A get that came too late; a lease goes back by itself, one delivery more.
  if (delivery.kind == IntentKind::get) delivery.message.put_back();
}

void GuestOpening::done(const Frame& frame) {
  Delivery delivery = take_delivery(frame);
  if (delivery.kind == IntentKind::get) fail("a get that is reported done as a lease");
  try {
    delivery.message.done();
    say(FrameKind::accepted, frame.operation);
  } catch (const LeaseLost& error) {
    refuse(frame.operation, error);
  }
}

void GuestOpening::tasks_done(std::uint32_t count) {
  // One that is read where it lies may be done before it is received.
  const auto gets = static_cast<std::uint32_t>(std::ranges::count_if(
      deliveries_, [](const auto& delivery) { return delivery.second.kind == IntentKind::get; }));
  if (count > not_reported_ + gets - reported_early_) fail("more messages reported done than it has got");
  reported_early_ += count;
  report_done();
}

void GuestOpening::report_done() {
  for (; reported_early_ != 0 && not_reported_ != 0; --reported_early_, --not_reported_)
    queue_->local().task_done();
}

}  // namespace wyvern
