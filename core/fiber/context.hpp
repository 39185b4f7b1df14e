#pragma once

#include <cstddef>

namespace wyvern::detail {

/// What the C++ runtime keeps for each thread about the exceptions that are being handled, as the Itanium ABI
/// lays it out. It belongs to a stack, not to a thread: a fiber may be suspended inside a handler.
struct HandledExceptions {
  void* caught = nullptr;
  unsigned int uncaught = 0;
};

/// A stack that somebody runs on, or will go on on. What it is suspended at is on the stack itself.
struct Context {
  void* at = nullptr;
  HandledExceptions handled;
  // For sanitizers, which have to be told of every switch; 0 without them.
  const void* stack_bottom = nullptr;
  std::size_t stack_bytes = 0;
  void* fake_stack = nullptr;
  void* tsan_fiber = nullptr;
};

}  // namespace wyvern::detail
