#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace wyvern::test {

/// What libFuzzer has thought up: choices first, then bytes.
class FuzzInput {
 public:
  FuzzInput(const std::uint8_t* data, std::size_t size) : rest_(std::as_bytes(std::span(data, size))) {}

  bool empty() const { return rest_.empty(); }
  /// A number below `count`; 0 when nothing is left.
  std::size_t choose(std::size_t count) { return std::to_integer<std::size_t>(take_byte()) % count; }
  std::span<const std::byte> take(std::size_t most) {
    const auto taken = rest_.first(most < rest_.size() ? most : rest_.size());
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  std::span<const std::byte> rest() const { return rest_; }

 private:
  std::byte take_byte() {
    const auto taken = take(1);
    return taken.empty() ? std::byte{0} : taken[0];
  }

  std::span<const std::byte> rest_;
};

}  // namespace wyvern::test
