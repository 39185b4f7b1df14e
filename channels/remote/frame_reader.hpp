#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <wyvern/channels/remote/frame_buffer.hpp>

namespace wyvern::wire {

/// Who has sent a message: each side is told other things.
enum class Sender : std::uint8_t { guest, home };

/// A frame of a message; its body lies in that message and is not aligned.
struct Frame {
  FrameKind kind = FrameKind::none;
  FrameFlags flags = 0;
  std::uint32_t opening = 0;
  std::uint32_t operation = 0;
  std::span<const std::byte> body = {};
  std::size_t followed_by = 0;  ///< bytes of the message

  bool has(FrameFlag one) const { return (flags & flag(one)) != 0; }
};

/// Takes a message apart into frames that the sender may send: of a kind that is its, with flags that this
/// kind has, and with a body of a size that is possible. The message outlives this.
class FrameReader {
 public:
  FrameReader(std::span<const std::byte> message, Sender sender)
      : message_bytes_(message.size()), rest_(message), sender_(sender) {}

  /// Nothing: that was all. Throws DecodeError for anything else than a whole frame; what came before it was
  /// right.
  std::optional<Frame> next();

 private:
  [[noreturn]] void fail(const char* problem) const;

  std::size_t message_bytes_;
  std::span<const std::byte> rest_;
  Sender sender_;
};

/// A cargo with its handles copied; the payload lies in the message.
struct ReceivedCargo {
  std::vector<ObjectReference> handles;
  Cargo cargo;  ///< without handles
};

/// The body of a put or delivery that a FrameReader has returned. Throws DecodeError.
ReceivedCargo read_cargo(const Frame& frame);
/// The number that a frame has as its body, as a value or ended frame that a FrameReader has returned.
std::uint64_t read_value(const Frame& frame);

/// "put", for messages; "unknown" for a kind that there is not.
const char* name_of(FrameKind kind);

}  // namespace wyvern::wire
