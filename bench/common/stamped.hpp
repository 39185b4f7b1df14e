#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <vector>

#include "bench/common/scratch.hpp"

namespace wyvern::bench {

/// Bytes that begin at a cache line.
class Buffer {
 public:
  explicit Buffer(std::uint64_t bytes) : lines_((bytes + line - 1) / line), bytes_(bytes) {}
  std::span<std::byte> bytes() { return std::as_writable_bytes(std::span(lines_)).first(bytes_); }

 private:
  struct alignas(line) Line {
    std::byte bytes[line];
  };
  std::vector<Line> lines_;
  std::uint64_t bytes_;
};

/// Writes the stamp at both ends of a message.
inline void write_stamp(std::span<std::byte> message, std::uint64_t stamp) {
  std::memcpy(message.data(), &stamp, sizeof stamp);
  std::memcpy(message.data() + message.size() - sizeof stamp, &stamp, sizeof stamp);
}

/// Throws if its ends differ (unless they overlap).
inline std::uint64_t read_stamp(std::span<const std::byte> message) {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::memcpy(&first, message.data(), sizeof first);
  std::memcpy(&last, message.data() + message.size() - sizeof last, sizeof last);
  if (first != last && message.size() >= 2 * sizeof first) {
    throw std::runtime_error("a message was changed on its way");
  }
  return first;
}

}  // namespace wyvern::bench
