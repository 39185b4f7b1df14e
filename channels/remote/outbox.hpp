#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>

#include <wyvern/channels/remote/frame_buffer.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/transport/endpoint.hpp>

namespace wyvern::wire {

/// Frames for one peer that are not sent yet, in order. While a send cannot be made, further frames are
/// packed into the same message, so that small ones travel together and nothing waits for a timer. It grows
/// as long as nothing can be sent: whoever uses it looks at `unsent`. For the endpoint's thread.
class Outbox {
 public:
  explicit Outbox(std::size_t largest_message) : largest_message_(largest_message) {}

  /// Where to add a frame with such a body, which fits into a message.
  FrameBuffer& room_for(std::size_t body_bytes);
  /// Whether the last message ends with such a run (FrameBuffer::add_to_run), and has room for more of it.
  bool has_run(std::uint32_t opening, std::uint32_t operation, std::size_t bytes) const {
    return !messages_.empty() && messages_.back().ends_with_run(opening, operation) &&
           messages_.back().has_room(bytes);
  }
  /// A message of its own, which is not made of frames. It fits.
  void add_message(std::span<const std::byte> bytes);
  /// The frame that says why something is not done.
  void add_refusal(std::uint32_t opening, std::uint32_t operation, const Error& error);
  bool empty() const { return messages_.empty(); }
  std::size_t largest_message() const { return largest_message_; }
  /// Messages that are not sent yet.
  std::size_t unsent() const { return messages_.size(); }
  /// The memory that they take.
  std::size_t unsent_bytes() const { return messages_.size() * largest_message_; }
  /// Of the message that room_for last chose; counted from 0 over the outbox's life.
  std::uint64_t current_message() const { return sent_ + messages_.size() - 1; }
  /// How many messages the endpoint has taken.
  std::uint64_t sent() const { return sent_; }

  /// Sends what the endpoint takes. `done`: nothing is left.
  SendOutcome send(Endpoint& endpoint, PeerNumber to);

 private:
  std::size_t largest_message_;
  std::deque<FrameBuffer> messages_;
  std::deque<FrameBuffer> spare_;  // at most one
  std::uint64_t sent_ = 0;
};

}  // namespace wyvern::wire
