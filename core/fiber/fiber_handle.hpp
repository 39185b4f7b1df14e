#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include <wyvern/core/fiber/fiber_control.hpp>

namespace wyvern::detail {

/// A stack of the calling thread for a new fiber, with the place for its control at the top.
class NewFiber {
 public:
  /// What a control may be aligned to.
  static constexpr std::size_t alignment = 64;

  /// Throws InvalidArgument if the control leaves too little of the stack, OutOfMemory, and FiberEnded when
  /// the thread is ending.
  NewFiber(std::size_t stack_bytes, std::size_t control_bytes);
  /// Gives the stack back, unless a fiber was started on it.
  ~NewFiber();
  NewFiber(const NewFiber&) = delete;
  NewFiber& operator=(const NewFiber&) = delete;

  FiberScheduler& scheduler() const { return scheduler_; }
  const Stack& stack() const { return stack_; }
  void* place() const { return place_; }
  /// `control` was made at that place.
  void start(FiberControl& control, FiberHandle& handle) noexcept;

 private:
  FiberScheduler& scheduler_;
  Stack stack_;
  void* place_;
  bool is_started_ = false;
};

/// What a handle does, whatever its fiber returns.
class FiberHandle {
 public:
  FiberHandle() = default;
  FiberHandle(FiberHandle&& other) noexcept { take(other); }
  FiberHandle& operator=(FiberHandle&& other) noexcept;
  ~FiberHandle() { join_quietly(); }

  bool joinable() const noexcept { return control_ != nullptr; }
  /// Starts a fiber whose control is a `Task` made of the parts.
  template <class Task, class... Parts>
  void start(std::size_t stack_bytes, Parts&&... parts) {
    static_assert(alignof(Task) <= NewFiber::alignment, "arguments of a fiber lie on its stack");
    NewFiber fiber(stack_bytes, sizeof(Task));
    control_ = new (fiber.place()) Task(fiber.scheduler(), fiber.stack(), std::forward<Parts>(parts)...);
    fiber.start(*control_, *this);
  }
  /// Waits until it has ended; `release` is the last that is done with it.
  FiberControl& wait_for_end();
  void release() noexcept;
  void detach();
  /// The fiber has been released.
  void forget() noexcept { control_ = nullptr; }

 private:
  void take(FiberHandle& other) noexcept;
  FiberScheduler& check(const char* call) const;
  void join_quietly();

  FiberControl* control_ = nullptr;
};

/// Where a fiber leaves its result.
template <class Result>
struct FiberResult : FiberControl {
  using FiberControl::FiberControl;
  std::optional<Result> value;
};
template <>
struct FiberResult<void> : FiberControl {
  using FiberControl::FiberControl;
};

}  // namespace wyvern::detail
