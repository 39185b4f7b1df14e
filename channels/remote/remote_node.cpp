#include <algorithm>
#include <bit>
#include <utility>

#include <wyvern/channels/remote/introduction.hpp>
#include <wyvern/channels/remote/remote_node.hpp>
#include <wyvern/channels/ring_layout.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern {

using wire::Frame;
using wire::FrameKind;

void PutsAhead::allow(std::uint32_t messages, std::uint32_t bytes) {
  most_ = std::min(messages, max_window);  // whatever a home says
  sizes_.resize(std::bit_ceil(most_));
  most_bytes_ = bytes;
}

void PutsAhead::sent(std::size_t bytes) {
  size_of(sent_++) = static_cast<std::uint32_t>(bytes);
  bytes_ += bytes;
}

void PutsAhead::end_until(std::uint32_t count) {
  if (count - ended_ > not_ended()) throw DecodeError("an agent has ended more puts than there are");
  while (ended_ != count) bytes_ -= size_of(ended_++);
}

RemoteNode::RemoteNode(std::uint32_t number, PeerNumber peer, std::vector<std::byte> hello,
                       std::size_t largest_message)
    : number_(number), peer_(peer), hello_(std::move(hello)), outbox_(largest_message), operations_(1) {
  outbox_.add_message(hello_);
}

std::uint32_t RemoteNode::begin(RemoteOperation& operation) {
  if (free_operations_.empty()) {
    free_operations_.reserve(operations_.size() + 1);  // so that freeing never fails
    operations_.emplace_back();
    free_operations_.push_back(static_cast<std::uint32_t>(operations_.size() - 1));
  }
  const std::uint32_t number = free_operations_.back();
  free_operations_.pop_back();
  wait_again(number, operation);
  return number;
}

void RemoteNode::leave_get(std::uint32_t operation, std::uint32_t opening, bool is_lease) {
  change(operation, {.state = Slot::State::left, .opening = opening, .is_lease = is_lease});
  ++left_gets_;
}

std::optional<std::uint32_t> RemoteNode::find_left_get(std::uint32_t opening, bool is_lease) const {
  if (left_gets_ == 0) return std::nullopt;
  for (std::uint32_t number = 1; number < operations_.size(); ++number) {
    const Slot& slot = operations_[number];
    if (slot.opening == opening && slot.is_lease == is_lease) return number;
  }
  return std::nullopt;
}

void RemoteNode::wait_again(std::uint32_t number, RemoteOperation& operation) {
  if (operations_[number].opening != 0) --left_gets_;
  change(number, {.state = Slot::State::waited_for, .operation = &operation});
  operation.waited_for.node_ = this;
  operation.waited_for.number_ = number;
}

void RemoteNode::end(std::uint32_t operation) { free_slot(operation); }

void RemoteNode::leave(std::uint32_t operation) { change(operation, {.state = Slot::State::left}); }

void RemoteNode::hold(std::uint32_t operation) { change(operation, {.state = Slot::State::held}); }

void RemoteNode::free_slot(std::uint32_t operation) {
  if (operations_[operation].opening != 0) --left_gets_;
  change(operation, {});
  free_operations_.push_back(operation);
}

void RemoteNode::change(std::uint32_t operation, const Slot& slot) {
  if (RemoteOperation* const before = operations_[operation].operation) before->waited_for.node_ = nullptr;
  operations_[operation] = slot;
}

void RemoteNode::forget(std::uint32_t operation) {
  const RemoteOperation* const gone = operations_[operation].operation;
  gone->is_over() ? free_slot(operation) : leave(operation);
}

WaitedFor::~WaitedFor() {
  if (node_ != nullptr) node_->forget(number_);
}

std::uint32_t RemoteNode::begin_opening(PutsAhead& ahead) {
  const std::uint32_t number = next_opening_++;
  openings_.emplace(number, &ahead);
  return number;
}

void RemoteNode::end_opening(std::uint32_t opening) { openings_.erase(opening); }

void RemoteNode::message(std::span<const std::byte> bytes, const JobKey& key) {
  if (!is_welcome_) {
    is_welcome_ = wire::is_welcome(key, hello_, bytes);
    if (!is_welcome_) {
      throw ErrorOf<ErrorCode::authentication_failed>("who answers there does not have the key of this job");
    }
    return;
  }
  wire::FrameReader reader(bytes, wire::Sender::home);
  while (const auto frame = reader.next()) deal_with(*frame);
}

void RemoteNode::deal_with(const Frame& frame) {
  const auto found = openings_.find(frame.opening);
  PutsAhead* const ahead = found == openings_.end() ? nullptr : found->second;
  switch (frame.kind) {
    case FrameKind::delivery: return deliver(frame);
    case FrameKind::credit:
      if (ahead != nullptr) ahead->end_until(frame.operation);
      return;
    case FrameKind::turned_back:
      if (ahead != nullptr) ahead->turned_back = frame.operation;
      return;
    case FrameKind::refused:
      if (frame.operation != 0) return conclude(frame);
      if (ahead != nullptr) ahead->refusal = wire::decode_refused(frame.body);
      return;
    default: return conclude(frame);
  }
}

RemoteNode::Slot& RemoteNode::slot_of(const Frame& frame) {
  const bool is_expected = frame.operation < operations_.size() &&
                           (operations_[frame.operation].state == Slot::State::waited_for ||
                            operations_[frame.operation].state == Slot::State::left);
  if (!is_expected) {
    throw DecodeError(std::string("an agent has sent the end (") + wire::name_of(frame.kind) +
                      ") of an operation that there is not");
  }
  return operations_[frame.operation];
}

void RemoteNode::deliver(const Frame& frame) {
  RemoteOperation* const operation = slot_of(frame).operation;
  if (operation == nullptr) {  // it came too late
    outbox_.room_for(0).add(FrameKind::give_back, wire::flag(wire::FrameFlag::unseen), frame.opening,
                            frame.operation);
    return free_slot(frame.operation);
  }
  const wire::ReceivedCargo received = wire::read_cargo(frame);
  operation->bytes = AlignedBytes(received.cargo.payload);
  operation->memory = received.cargo.memory;
  operation->deliveries = received.cargo.deliveries;
  operation->outcome = frame.kind;
}

void RemoteNode::conclude(const Frame& frame) {
  RemoteOperation* const operation = slot_of(frame).operation;
  if (operation == nullptr) return free_slot(frame.operation);
  if (frame.kind == FrameKind::refused) operation->refusal = wire::decode_refused(frame.body);
  if (frame.kind == FrameKind::value || frame.kind == FrameKind::went_in ||
      frame.kind == FrameKind::closed_after)
    operation->value = wire::read_value(frame);
  if (frame.kind == FrameKind::opened || frame.kind == FrameKind::reply)
    operation->bytes = AlignedBytes(frame.body);
  operation->outcome = frame.kind;
}

}  // namespace wyvern
