#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <wyvern/core/codec/codec.hpp>
#include <wyvern/core/object_reference.hpp>

namespace wyvern {

/// A value as the bytes of a message, and the handles to shared objects in it. The value must outlive this.
template <class T>
class EncodedMessage {
 public:
  explicit EncodedMessage(const T& value)
      : bytes_(std::exchange(kept().bytes, {})), handles_(std::exchange(kept().handles, {})) {
    encode_to(bytes_, value, &handles_);
  }
  ~EncodedMessage() {
    // What a large message made them grow to is given back.
    if (bytes_.capacity() > longest_kept) return;
    bytes_.clear();
    handles_.clear();
    kept() = {std::move(bytes_), std::move(handles_)};
  }
  EncodedMessage(const EncodedMessage&) = delete;
  EncodedMessage& operator=(const EncodedMessage&) = delete;
  std::span<const std::byte> bytes() const { return bytes_; }
  std::span<const ObjectReference> handles() const { return handles_; }

 private:
  static constexpr std::size_t longest_kept = std::size_t{1} << 20;
  /// A thread keeps its buffers between calls; a codec that puts into a queue itself finds none.
  struct Buffers {
    std::vector<std::byte> bytes;
    std::vector<ObjectReference> handles;
  };
  static Buffers& kept() {
    thread_local Buffers buffers;
    return buffers;
  }

  std::vector<std::byte> bytes_;
  std::vector<ObjectReference> handles_;
};

/// A trivially copyable value is its own bytes.
template <class T>
  requires(detail::is_raw<T>())
class EncodedMessage<T> {
 public:
  explicit EncodedMessage(const T& value) : bytes_(std::as_bytes(std::span(&value, 1))) {}
  std::span<const std::byte> bytes() const { return bytes_; }
  static std::span<const ObjectReference> handles() { return {}; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace wyvern
