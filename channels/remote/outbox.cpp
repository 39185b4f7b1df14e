#include <utility>

#include <wyvern/channels/remote/control_tables.hpp>
#include <wyvern/channels/remote/outbox.hpp>

namespace wyvern::wire {

FrameBuffer& Outbox::room_for(std::size_t body_bytes) {
  if (sizeof(FrameHeader) + body_bytes > largest_message_) {
    throw TooLarge("a request to another node of " + std::to_string(body_bytes) +
                   " bytes does not fit into one message, of at most " + std::to_string(largest_message_) +
                   " bytes");
  }
  if (!messages_.empty() && messages_.back().has_room(body_bytes)) return messages_.back();
  if (spare_.empty()) return messages_.emplace_back(largest_message_);
  FrameBuffer& message = messages_.emplace_back(std::move(spare_.back()));
  spare_.pop_back();
  return message;
}

void Outbox::add_message(std::span<const std::byte> bytes) { messages_.emplace_back(bytes); }

void Outbox::add_refusal(std::uint32_t opening, std::uint32_t operation, const Error& error) {
  const auto body = encode_refused({.code = error.code(), .text = error.what()});
  room_for(body.size()).add(FrameKind::refused, 0, opening, operation, body);
}

SendOutcome Outbox::send(Endpoint& endpoint, PeerNumber to) {
  while (!messages_.empty()) {
    FrameBuffer& message = messages_.front();
    const SendOutcome outcome = endpoint.send(to, message.bytes());
    if (outcome != SendOutcome::done) return outcome;
    ++sent_;
    if (spare_.empty() && message.largest_message() == largest_message_) {
      message.clear();
      spare_.push_back(std::move(message));
    }
    messages_.pop_front();
  }
  return SendOutcome::done;
}

}  // namespace wyvern::wire
