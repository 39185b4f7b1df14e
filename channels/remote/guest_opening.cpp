#include <algorithm>
#include <string>
#include <utility>

#include <wyvern/channels/given_back.hpp>
#include <wyvern/channels/remote/guest_opening.hpp>
#include <wyvern/channels/ring.hpp>

// What a guest gets, and the beginning and end of its visit; what it puts is in guest_puts.cpp.
namespace wyvern {

using wire::Frame;
using wire::FrameFlag;
using wire::FrameKind;

GuestOpening::GuestOpening(std::uint32_t number, std::shared_ptr<ServedQueue> queue, Guest& guest)
    : number_(number), queue_(std::move(queue)), guest_(guest) {}

GuestOpening::~GuestOpening() {
  queue_->forget(*this);
  for (const HeldPut& put : held_) stop_holding(put);
  std::erase(guest_.untold, this);
}

void GuestOpening::end() {
  queue_->forget(*this);
  for (HeldPut& put : held_) abandon(put);
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
  if (not_reported_ != 0) queue_->local().tasks_lost(std::exchange(not_reported_, 0));
  if (!closes_.empty()) queue_->local().close();  // what it was to come behind is lost with the guest
}

std::size_t GuestOpening::leave() {
  std::size_t too_many = 0;
  for (auto put = held_.begin(); put != held_.end();) {
    if (put->operation != 0) {
      ++put;
      continue;
    }
    stop_holding(*put);
    for (wire::PutRun& run = put->run; !run.empty(); run.pop()) {
      if (!queue_->adopt({run.front().begin(), run.front().end()})) ++too_many;
    }
    put = held_.erase(put);
  }
  return too_many;
}

void GuestOpening::fail(const char* what) const {
  throw DecodeError("a process of another node has sent something about " + queue_->local().description() +
                    " that cannot be: " + what);
}

/// False: it is refused, since there are too many.
bool GuestOpening::begin(std::uint32_t operation) {
  if (operation == 0) fail("an operation without a number");
  if (operations_.contains(operation)) fail("two operations of the same number");
  if (operations_.size() >= guest_.limits.operations) {
    refuse(operation, OutOfMemory("a process has " + std::to_string(operations_.size()) +
                                  " gets, leases, answered puts and joins under way on " +
                                  queue_->local().description() + ", the most it can have"));
    return false;
  }
  operations_.insert(operation);
  return true;
}

void GuestOpening::say(FrameKind kind, std::uint32_t operation) {
  guest_.outbox.room_for(0).add(kind, 0, number_, operation);
}

void GuestOpening::end_with(FrameKind kind, std::uint32_t operation) {
  operations_.erase(operation);
  say(kind, operation);
}

void GuestOpening::end_with_number(FrameKind kind, std::uint32_t operation, std::uint64_t number) {
  operations_.erase(operation);
  guest_.outbox.room_for(sizeof number).add_value(kind, number_, operation, number);
}

/// Operation 0: a put without an answer.
void GuestOpening::refuse(std::uint32_t operation, const Error& error) {
  operations_.erase(operation);
  guest_.outbox.add_refusal(number_, operation, error);
}

void GuestOpening::deal_with(const Frame& frame) {
  switch (frame.kind) {
    case FrameKind::get:
      if (!begin(frame.operation)) return;
      return queue_->get(*this, frame.operation,
                         frame.has(FrameFlag::lease) ? IntentKind::lease : IntentKind::get,
                         frame.has(FrameFlag::now));
    case FrameKind::cancel: return cancel(frame.operation);
    case FrameKind::received: return received(frame);
    case FrameKind::give_back: return give_back(frame);
    case FrameKind::done: return done(frame);
    case FrameKind::task_done: return tasks_done(frame.operation);
    case FrameKind::flush:
      if (!begin(frame.operation)) return;
      flushes_.push_back(frame.operation);
      return end_holding();
    case FrameKind::join:
      if (!begin(frame.operation)) return;
      joins_.push_back(frame.operation);
      return end_holding();
    case FrameKind::size: {
      if (!begin(frame.operation)) return;
      const RingView& view = queue_->local().view();
      return end_with_value(frame.operation, ring::size_approx(view) + given_back_count(view));
    }
    case FrameKind::close:
      if (!begin(frame.operation)) return;
      closes_.push_back(frame.operation);
      is_closing_ = true;
      turn_back_answered();
      return end_holding();
    default: fail("a frame that belongs to no queue");
  }
}

void GuestOpening::deliver(std::uint32_t operation, HeldMessage message, IntentKind kind) {
  const bool is_leased = kind == IntentKind::lease;
  wire::Cargo cargo{.deliveries = message.delivery_count(), .payload = message.bytes()};
  std::unique_ptr<RegisteredMemory> region;
  if (sizeof(wire::FrameHeader) + wire::FrameBuffer::cargo_bytes(cargo, is_leased) >
      guest_.endpoint.largest_message()) {
    // Only read by the guest: that the memory is ours to write as well is nobody's concern.
    const std::span<std::byte> bytes(const_cast<std::byte*>(cargo.payload.data()), cargo.payload.size());
    try {
      region = guest_.endpoint.register_memory(bytes);
    } catch (const Error&) {
      message.put_back();  // nobody has had it
      throw;
    }
    cargo.memory = region->remote();
  }
  wire::FrameBuffer& room = guest_.outbox.room_for(wire::FrameBuffer::cargo_bytes(cargo, is_leased));
  deliveries_.emplace(operation, Delivery{.message = std::move(message),
                                          .kind = kind,
                                          .in_message = guest_.outbox.current_message(),
                                          .region = std::move(region)});
  if (!is_leased) ++gets_on_their_way_;
  room.add_cargo(FrameKind::delivery, is_leased ? wire::flag(FrameFlag::lease) : wire::FrameFlags{}, number_,
                 operation, cargo);
}

/// What is under way already ends by itself: the guest sees what came, and gives back what it does not want.
void GuestOpening::cancel(std::uint32_t operation) {
  if (queue_->cancel(*this, operation) || std::erase(joins_, operation) != 0 ||
      std::erase(flushes_, operation) != 0)
    return end_with(FrameKind::nothing, operation);
  if (operation == 0) return;
  const auto put = std::ranges::find(held_, operation, &HeldPut::operation);
  if (put == held_.end()) return;
  put->is_now = true;
  if (put->large != nullptr && !put->large->result) return;  // ends when it is there, or is not
  put->is_run ? end_run(FrameKind::went_in, *put) : end_with(FrameKind::nothing, operation);
  drop_held(put);
}

GuestOpening::Delivery GuestOpening::take_delivery(const Frame& frame) {
  const auto found = deliveries_.find(frame.operation);
  if (found == deliveries_.end()) fail("the end of a delivery that there is not");
  Delivery delivery = std::move(found->second);
  deliveries_.erase(found);
  operations_.erase(frame.operation);
  if (delivery.kind == IntentKind::get) --gets_on_their_way_;
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
  // One that came too late; else a lease goes back by itself, one delivery more.
  if (delivery.kind == IntentKind::get || frame.has(FrameFlag::unseen)) delivery.message.put_back();
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
  if (count > not_reported_ + gets_on_their_way_ - reported_early_)
    fail("more messages reported done than it has got");
  reported_early_ += count;
  report_done();
}

void GuestOpening::report_done() {
  const std::uint64_t count = std::min(reported_early_, not_reported_);
  if (count == 0) return;
  reported_early_ -= count;
  not_reported_ -= count;
  queue_->local().tasks_done(count);
}

}  // namespace wyvern
