#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/core/segment_layout.hpp>

namespace wyvern {

/// What memory of messages is aligned to.
inline constexpr std::size_t message_alignment = cache_line;

/// Memory of this process for a message: aligned as messages are, not initialised. Movable.
class AlignedBytes {
 public:
  AlignedBytes() = default;
  /// Throws OutOfMemory.
  explicit AlignedBytes(std::size_t size) : memory_(allocate(size)), size_(size) {}
  /// A copy.
  explicit AlignedBytes(std::span<const std::byte> bytes) : AlignedBytes(bytes.size()) {
    if (!bytes.empty()) std::memcpy(memory_.get(), bytes.data(), bytes.size());
  }

  AlignedBytes(AlignedBytes&& other) noexcept
      : memory_(std::move(other.memory_)), size_(std::exchange(other.size_, 0)) {}
  AlignedBytes& operator=(AlignedBytes&& other) noexcept {
    memory_ = std::move(other.memory_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }
  ~AlignedBytes() = default;

  std::span<std::byte> bytes() const { return {memory_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::byte* memory) const {
      ::operator delete(memory, std::align_val_t{message_alignment});
    }
  };

  static std::byte* allocate(std::size_t size) {
    void* const memory = ::operator new(size, std::align_val_t{message_alignment}, std::nothrow);
    if (memory == nullptr)
      throw OutOfMemory("this process has no memory for a message of " + std::to_string(size) + " bytes");
    return static_cast<std::byte*>(memory);
  }

  std::unique_ptr<std::byte, Free> memory_;
  std::size_t size_ = 0;
};

}  // namespace wyvern
