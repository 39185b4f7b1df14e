#include <algorithm>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include <wyvern/core/thread_number.hpp>

namespace wyvern::detail {
namespace {

/// Never destroyed: threads may end after static objects have gone.
struct Numbers {
  std::mutex mutex;
  std::vector<std::uint32_t> free;  // a heap, smallest first
  std::uint32_t next = 0;
};

Numbers& numbers() {
  static auto* const all = new Numbers;
  return *all;
}

/// Stays readable after the thread's other objects have gone.
constinit thread_local bool thread_has_ended = false;

/// Gives the thread's number back at its end.
struct ThreadEnd {
  ThreadEnd() = default;
  ~ThreadEnd() {
    thread_has_ended = true;
    Numbers& all = numbers();
    const std::lock_guard lock(all.mutex);
    all.free.push_back(std::exchange(thread_number, no_thread_number));
    std::push_heap(all.free.begin(), all.free.end(), std::greater<>());
  }
  ThreadEnd(const ThreadEnd&) = delete;
  ThreadEnd& operator=(const ThreadEnd&) = delete;
};

}  // namespace

std::uint32_t take_thread_number() {
  if (thread_has_ended) return no_thread_number;
  Numbers& all = numbers();
  const std::lock_guard lock(all.mutex);
  if (all.free.empty()) {
    all.free.reserve(all.next + 1);  // giving it back must not fail
    thread_number = all.next++;
  } else {
    std::pop_heap(all.free.begin(), all.free.end(), std::greater<>());
    thread_number = all.free.back();
    all.free.pop_back();
  }
  static thread_local const ThreadEnd end;
  return thread_number;
}

}  // namespace wyvern::detail
