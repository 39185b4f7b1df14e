#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <wyvern/channels/remote/control_tables.hpp>

namespace wyvern::wire {

/// Messages that are put together, one behind the other in the body of one frame:
/// {bytes:uint32, payload} each. They are taken from the front. What they lie in outlives this.
class PutRun {
 public:
  PutRun() = default;
  /// Throws DecodeError for anything else than some whole messages.
  explicit PutRun(std::span<const std::byte> body);

  /// What a message takes in such a body.
  static constexpr std::size_t bytes_of(std::size_t payload_bytes) {
    return sizeof(std::uint32_t) + payload_bytes;
  }

  bool empty() const { return count_ == 0; }
  std::uint32_t count() const { return count_; }
  /// What they take while a home holds them.
  std::size_t held_bytes() const {
    return count_ * wire::held_bytes(0) + rest_.size() - count_ * bytes_of(0);
  }
  /// The body of those that are left.
  std::span<const std::byte> body() const { return rest_; }

  /// The payload of the first one, if there is one.
  std::span<const std::byte> front() const { return rest_.subspan(bytes_of(0), first_bytes(rest_)); }
  void pop() {
    rest_ = rest_.subspan(bytes_of(first_bytes(rest_)));
    --count_;
  }
  void clear() { *this = {}; }

 private:
  static std::size_t first_bytes(std::span<const std::byte> body) {
    std::uint32_t bytes = 0;
    std::memcpy(&bytes, body.data(), sizeof bytes);
    return bytes;
  }

  std::span<const std::byte> rest_ = {};
  std::uint32_t count_ = 0;
};

}  // namespace wyvern::wire
