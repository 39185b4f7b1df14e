#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace wyvern {

/// What the processes of a job have in common and nobody else knows: who can make a tag for some bytes is one
/// of them. Copies are wiped when they are destroyed. Thread-safe.
class JobKey {
 public:
  static constexpr std::size_t size = 32;  ///< bytes
  using Tag = std::array<std::byte, 32>;

  /// A new one, which cannot be guessed. Throws Error if the system has no randomness.
  static JobKey make();
  /// One that was passed on. Throws InvalidArgument unless there are `size` bytes.
  explicit JobKey(std::span<const std::byte> bytes);
  ~JobKey();
  JobKey(const JobKey&) = default;
  JobKey& operator=(const JobKey&) = default;

  /// To be passed on, where nobody else reads it.
  std::span<const std::byte> bytes() const { return bytes_; }

  /// Proves that who sent `bytes` has the key, and meant them for this purpose: a tag for one purpose is none
  /// for another.
  Tag tag(std::string_view purpose, std::span<const std::byte> bytes) const;
  /// Whether that is the tag, in a time that tells nothing about the right one.
  bool is_tag(std::span<const std::byte> tag, std::string_view purpose,
              std::span<const std::byte> bytes) const;

 private:
  JobKey() = default;

  std::array<std::byte, size> bytes_{};
};

}  // namespace wyvern
