#pragma once

#include <cstdint>

#include <wyvern/core/segment.hpp>

namespace wyvern {

/// How wakers tell a thread with fibers which of them to look at. Such a thread has one parker for all its
/// fibers, so "you were woken" would make it test the condition of each, at each wake. Therefore whoever
/// wakes it first sets one of `max_signals` bits of its cell, chosen by what has changed. The bit is set
/// whether the thread sleeps or not, and stays until the thread takes it; then it tests only what falls on
/// that bit.
///   waker:  make the condition true -> find the registration -> set the bit -> notify() if it is asleep
///   owner:  register -> test the condition -> go on with other fibers; again and again: take the bits, test
///   what falls on them; with no fiber left to run: prepare() -> take the bits -> park()
/// Either the owner's test sees the condition or the waker sees the registration; either the owner's last
/// look sees the bit or the waker sees it asleep. Bits are idempotent: a waker that dies in between spoils
/// nothing.

namespace detail {
/// Neighbouring numbers go far apart (multiplication by the golden ratio; the upper bits are the mixed ones).
constexpr std::uint32_t spread_signal(std::uint64_t number) {
  static_assert(max_signals == 1U << 9);
  return static_cast<std::uint32_t>((number * 0x9E37'79B9'7F4A'7C15) >> (64 - 9));
}
}  // namespace detail

/// The signal for what is at this place in a segment: a waiter set.
inline std::uint32_t signal_of_place(const Segment& segment, const void* place) {
  return detail::spread_signal(reinterpret_cast<std::uintptr_t>(place) -
                               reinterpret_cast<std::uintptr_t>(segment.at(0)));
}
/// The signal for an interest that has no waiter set.
inline std::uint32_t signal_of_interest(std::uint64_t interest) { return detail::spread_signal(interest); }

/// For a waker, before notify(). Nothing is written if the signal is there already.
inline void set_signal(ParkerCell& cell, std::uint32_t signal) {
  auto& word = cell.signals[signal / 64];
  const std::uint64_t bit = std::uint64_t{1} << (signal % 64);
  // Sequentially consistent: after what made the condition true, before the look at the parker's state.
  if ((word.load(std::memory_order_seq_cst) & bit) == 0) word.fetch_or(bit, std::memory_order_seq_cst);
}
inline void set_all_signals(ParkerCell& cell) {
  cell.signalled_all.store(1, std::memory_order_seq_cst);  // as above
}

}  // namespace wyvern
