#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bench/common/stamped.hpp"

namespace wyvern::bench {

/// Sends and receives stamped messages of one size from one buffer into another, as a user who copies does.
template <class Endpoint>
class Courier {
 public:
  Courier(Endpoint& endpoint, std::uint64_t bytes)
      : endpoint_(endpoint), outgoing_(size(bytes)), incoming_(size(bytes)) {}

  /// To be called before the message that `receive` will wait for can be sent.
  void expect() {
    if constexpr (requires(Endpoint endpoint) { endpoint.expect(std::span<std::byte>()); }) {
      endpoint_.expect(incoming_.bytes());
    }
  }
  void send(std::uint64_t stamp) {
    write_stamp(outgoing_.bytes(), stamp);
    endpoint_.send(outgoing_.bytes());
  }
  std::uint64_t receive() {
    endpoint_.receive(incoming_.bytes());
    return read_stamp(incoming_.bytes());
  }
  std::uint64_t poll() {
    endpoint_.poll(incoming_.bytes());
    return read_stamp(incoming_.bytes());
  }

 private:
  static std::uint64_t size(std::uint64_t bytes) {
    if constexpr (requires { Endpoint::carries_stamp_only; }) return sizeof(std::uint64_t);
    return bytes;
  }

  Endpoint& endpoint_;
  Buffer outgoing_;
  Buffer incoming_;
};

}  // namespace wyvern::bench
