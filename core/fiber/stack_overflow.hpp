#pragma once

#include <memory>

#include <wyvern/core/fiber/stack_pool.hpp>

namespace wyvern::detail {

/// Says so and ends the process (abort).
[[noreturn]] void report_overrun(const Stack& stack);

/// While it lives, a fiber of the calling thread that runs into the guard of its stack is reported as that,
/// before the process ends by SIGSEGV. Signals are handled on a stack of this object then, unless the thread
/// has one. A program that handles SIGSEGV itself when its first fiber starts keeps its handler, and there is
/// no report.
class OverflowWatch {
 public:
  OverflowWatch();
  ~OverflowWatch();
  OverflowWatch(const OverflowWatch&) = delete;
  OverflowWatch& operator=(const OverflowWatch&) = delete;

 private:
  std::unique_ptr<std::byte[]> signal_stack_;
};

}  // namespace wyvern::detail
