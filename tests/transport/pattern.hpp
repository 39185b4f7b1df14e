#pragma once

#include <cstddef>
#include <vector>

namespace wyvern::test {

using Bytes = std::vector<std::byte>;

/// Bytes that tell their place and which message or memory they are of.
inline Bytes pattern(std::size_t size, unsigned seed = 1) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 251 + seed);
  return bytes;
}

}  // namespace wyvern::test
