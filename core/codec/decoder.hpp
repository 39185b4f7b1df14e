#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include <wyvern/core/codec/encoder.hpp>

namespace wyvern {

/// Reads encoded values from bytes that it does not own and that must outlive it. Never reads past their end:
/// every function throws `DecodeError` when the bytes are not what it expects. For one thread at a time.
class Decoder {
 public:
  explicit Decoder(std::span<const std::byte> bytes) : bytes_(bytes), rest_(bytes) {}
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// Decodes one value with its `Codec`.
  template <class T>
  T read() {
    return Codec<T>::decode(*this);
  }

  /// Decodes into each of the values, in order.
  template <class... Values>
  Decoder& operator()(Values&... values) {
    (void(values = Codec<Values>::decode(*this)), ...);
    return *this;
  }

  /// Copies the next `size` bytes to `target`.
  void read_bytes(void* target, std::size_t size) {
    const auto source = take_bytes(size);
    if (size != 0) std::memcpy(target, source.data(), size);
  }

  /// The next `size` bytes in place.
  std::span<const std::byte> take_bytes(std::size_t size) {
    if (size > rest_.size()) fail_short(size);
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  /// A number of elements of which each takes `element_size` bytes or more (at least 1): never more than the
  /// bytes that are left can hold, so that memory can be reserved for it.
  std::size_t read_size(std::size_t element_size) {
    std::uint8_t small = 0;
    read_bytes(&small, sizeof small);
    std::uint64_t size = small;
    if (small == long_size_marker) read_bytes(&size, sizeof size);
    if (size > rest_.size() / element_size) fail_size(size, element_size);
    return static_cast<std::size_t>(size);
  }

  /// A handle to a shared object, as `Encoder::carry` wrote it.
  ObjectReference take_reference();

  /// The number of bytes that are not decoded yet.
  std::size_t remaining() const { return rest_.size(); }

  /// Checks that everything has been decoded.
  void expect_end() const {
    if (!rest_.empty()) fail("bytes are left over behind the value");
  }

  /// Throws a `DecodeError` that says where.
  [[noreturn]] void fail(std::string_view problem) const;

  /// Held while the elements of a container or the target of a pointer are decoded.
  class Nesting {
   public:
    explicit Nesting(Decoder& decoder) : depth_(decoder.depth_) {
      if (depth_ >= max_nesting) decoder.fail("containers or pointers are nested too deeply");
      ++depth_;
    }
    ~Nesting() { --depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    std::uint32_t& depth_;
  };

 private:
  [[noreturn]] void fail_short(std::size_t size) const;
  [[noreturn]] void fail_size(std::uint64_t size, std::size_t element_size) const;

  std::span<const std::byte> bytes_;
  std::span<const std::byte> rest_;
  std::uint32_t depth_ = 0;
};

namespace detail {
/// For use in a handler: throws what corrupt bytes have led to (`DecodeError`, a refused allocation, an
/// exception of cereal) as a `DecodeError` that names the type and carries `message`; other exceptions go on
/// unchanged.
[[noreturn]] void rethrow_decode_failure(std::string_view type, std::span<const std::byte> message);
}  // namespace detail

}  // namespace wyvern
