#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <wyvern/core/object_reference.hpp>

namespace wyvern {

static_assert(std::endian::native == std::endian::little,
              "messages hold values as they are in memory, little-endian");

/// How one type becomes bytes and back. Defined in `codec.hpp`.
template <class T>
struct Codec;

/// Containers and owning pointers inside one another; deeper values are refused in both directions, so that
/// neither a cycle nor a corrupt message can use up the stack (a fiber's may be 64 KiB).
inline constexpr std::uint32_t max_nesting = 128;

/// A length below this takes one byte in a message, any other takes nine.
inline constexpr std::uint8_t long_size_marker = 0xff;

/// Appends encoded values to a vector of bytes, which must outlive it. For one thread at a time.
class Encoder {
 public:
  /// `references` collects the handles to shared objects that the message carries; without it, handles are
  /// refused.
  explicit Encoder(std::vector<std::byte>& out, std::vector<ObjectReference>* references = nullptr)
      : out_(out), references_(references) {}
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  /// Encodes each value with its `Codec`. Throws what the codecs throw.
  template <class... Values>
  Encoder& operator()(const Values&... values) {
    (Codec<Values>::encode(*this, values), ...);
    return *this;
  }

  /// Appends `size` bytes as they are.
  void write_bytes(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const std::byte*>(data);
    out_.insert(out_.end(), bytes, bytes + size);
  }

  /// Appends a number of elements or bytes.
  void write_size(std::size_t size) {
    if (size < long_size_marker) {
      out_.push_back(static_cast<std::byte>(size));
    } else {
      out_.push_back(std::byte{long_size_marker});
      const std::uint64_t wide = size;
      write_bytes(&wide, sizeof wide);
    }
  }

  /// Writes a handle to a shared object. Throws `InvalidArgument` where handles cannot travel.
  void carry(ObjectReference reference);

  /// Held while the elements of a container or the target of a pointer are encoded. Throws `InvalidArgument`
  /// past `max_nesting`.
  class Nesting {
   public:
    explicit Nesting(Encoder& encoder) : depth_(encoder.depth_) {
      if (++depth_ > max_nesting) refuse(depth_);
    }
    ~Nesting() { --depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    [[noreturn]] static void refuse(std::uint32_t& depth);
    std::uint32_t& depth_;
  };

 private:
  std::vector<std::byte>& out_;
  std::vector<ObjectReference>* references_;
  std::uint32_t depth_ = 0;
};

}  // namespace wyvern
