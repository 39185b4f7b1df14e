#pragma once

#include <wire_generated.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include <wyvern/core/object_reference.hpp>
#include <wyvern/core/puid.hpp>
#include <wyvern/transport/remote_read.hpp>

namespace wyvern::wire {

static_assert(sizeof(FrameHeader) == 16 && sizeof(Reference) == 16 && sizeof(Memory) == 24);

/// Of one request, in as many frames as it takes.
inline constexpr std::size_t most_request_bytes = std::size_t{64} << 20;

/// Flags of a frame, together.
using FrameFlags = std::uint8_t;
constexpr FrameFlags flag(FrameFlag one) { return static_cast<FrameFlags>(one); }

/// What a put or a delivery consists of.
struct Cargo {
  std::uint32_t deliveries = 0;  ///< under a lease: how many before this one were in vain
  std::span<const ObjectReference> handles = {};
  std::span<const std::byte> payload = {};  ///< a small one
  RemoteMemory memory = {};                 ///< of a large one; size 0: the payload is the small one
};

/// Frames that make one message: what there is to say to a peer until the next send. Its memory is taken when
/// it is made. For one thread at a time.
class FrameBuffer {
 public:
  /// `largest_message`: of the endpoint, in bytes; more than one header.
  explicit FrameBuffer(std::size_t largest_message)
      : bytes_(std::make_unique_for_overwrite<std::byte[]>(largest_message)),
        largest_message_(largest_message) {}

  /// A message that is made already, and has no room for more.
  explicit FrameBuffer(std::span<const std::byte> message) : FrameBuffer(message.size()) {
    append(message.data(), message.size());
  }

  /// Whether a frame with such a body can be added. An empty buffer has room for whatever fits into a
  /// message.
  bool has_room(std::size_t body_bytes) const {
    return largest_message_ - size_ >= sizeof(FrameHeader) + body_bytes;
  }
  bool empty() const { return size_ == 0; }
  std::size_t largest_message() const { return largest_message_; }
  std::span<const std::byte> bytes() const { return {bytes_.get(), size_}; }
  void clear() {
    size_ = 0;
    run_opening_ = 0;
  }

  /// Each of these needs has_room for its body.
  void add(FrameKind kind, FrameFlags flags, std::uint32_t opening, std::uint32_t operation,
           std::span<const std::byte> body = {});
  /// `flags`: without handles and large, which `cargo` tells.
  void add_cargo(FrameKind kind, FrameFlags flags, std::uint32_t opening, std::uint32_t operation,
                 const Cargo& cargo);
  /// Of a kind whose body is a number.
  void add_value(FrameKind kind, std::uint32_t opening, std::uint32_t operation, std::uint64_t value);
  /// Needs room for `ended_bytes`.
  void add_ended(Puid process);
  /// A message that is put together with others: in the last frame, if that has such ones of this opening and
  /// operation. Needs has_room for PutRun::bytes_of it.
  void add_to_run(FrameFlags flags, std::uint32_t opening, std::uint32_t operation,
                  std::span<const std::byte> payload);
  /// One that is put ahead.
  void add_put_ahead(std::uint32_t opening, std::span<const std::byte> payload) {
    add_to_run(0, opening, 0, payload);
  }
  /// Whether such a message would be in the last frame, if it has room.
  bool ends_with_run(std::uint32_t opening, std::uint32_t operation) const {
    return run_opening_ == opening && run_operation_ == operation;
  }

  static constexpr std::size_t ended_bytes = sizeof(std::uint64_t);
  /// Of the body of a put, or, `is_leased`, of a delivery under a lease.
  static std::size_t cargo_bytes(const Cargo& cargo, bool is_leased);

 private:
  void add_header(const FrameHeader& header);
  void append(const void* data, std::size_t size) {
    if (size != 0) std::memcpy(bytes_.get() + size_, data, size);
    size_ += size;
  }

  std::unique_ptr<std::byte[]> bytes_;
  std::size_t largest_message_;
  std::size_t size_ = 0;
  // The last frame, if it is one of messages that are put together; opening 0: it is not.
  std::uint32_t run_opening_ = 0;
  std::uint32_t run_operation_ = 0;
  std::size_t run_begin_ = 0;
};

}  // namespace wyvern::wire
