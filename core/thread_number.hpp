#pragma once

#include <cstdint>

namespace wyvern {

/// Numbers of threads that have none, because they have not begun to use the library or have ended to.
inline constexpr std::uint32_t no_thread_number = ~std::uint32_t{0};

namespace detail {
inline constinit thread_local std::uint32_t thread_number = no_thread_number;
std::uint32_t take_thread_number();
}  // namespace detail

/// A number of the calling thread that no other living thread of the process has, as small as possible. It
/// goes to a later thread when this one has ended, everything that this one did before comes before then. In
/// the destructors of thread-local objects it may be no_thread_number.
inline std::uint32_t thread_number() {
  const std::uint32_t number = detail::thread_number;
  return number != no_thread_number ? number : detail::take_thread_number();
}

}  // namespace wyvern
