#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

#include <wyvern/core/futex.hpp>

namespace wyvern {

bool futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, Deadline deadline) {
  timespec until{};
  if (!deadline.is_never()) {
    const auto since_start = deadline.time().time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_start);
    if (seconds.count() < 0) return false;
    until.tv_sec = seconds.count();
    until.tv_nsec = std::chrono::duration_cast<std::chrono::nanoseconds>(since_start - seconds).count();
  }
  // The bitset form takes an absolute time of the monotonic clock: early returns need no arithmetic.
  return ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAIT_BITSET, expected,
                   deadline.is_never() ? nullptr : &until, nullptr, FUTEX_BITSET_MATCH_ANY) == 0;
}

void futex_wake(std::atomic<std::uint32_t>& word, int count) {
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAKE, count, nullptr, nullptr, 0);
}

std::uint64_t monotonic_ns() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

}  // namespace wyvern
