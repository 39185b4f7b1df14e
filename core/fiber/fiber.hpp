#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <wyvern/core/fiber/fiber_handle.hpp>
#include <wyvern/core/fiber/this_fiber.hpp>

namespace wyvern {

struct FiberOptions {
  /// Bytes of address space, at least 16 KiB; rounded up to pages. Memory is taken page by page when it is
  /// first used, 4 KiB for a fiber that does not call deep. The usual size is made fastest.
  std::size_t stack_bytes = detail::StackPool::usual_bytes;
};

namespace detail {

template <class Function, class... Args>
using FiberResultOf = std::decay_t<std::invoke_result_t<std::decay_t<Function>, std::decay_t<Args>...>>;

/// A fiber with what it is to call.
template <class Result, class Function, class... Args>
class FiberTask final : public FiberResult<Result> {
 public:
  template <class... Parts>
  FiberTask(FiberScheduler& of, const Stack& on, Parts&&... parts)
      : FiberResult<Result>(of, on), call_(std::in_place, std::forward<Parts>(parts)...) {}

  void run() override {
    const EndOfCall ends{call_};
    const auto call = [](Function& function, Args&... args) -> decltype(auto) {
      return std::invoke(std::move(function), std::move(args)...);
    };
    if constexpr (std::is_void_v<Result>) {
      std::apply(call, *call_);
    } else {
      this->value.emplace(std::apply(call, *call_));
    }
  }

 private:
  using Call = std::tuple<Function, Args...>;
  /// Function and arguments end in the fiber.
  struct EndOfCall {
    std::optional<Call>& call;
    ~EndOfCall() { call.reset(); }
  };
  std::optional<Call> call_;
};

}  // namespace detail

/// A function that runs in turns with others in the same thread, on a stack of its own. Where it blocks, in
/// any call of this library that blocks, only the fiber waits, and the thread goes on with its other fibers;
/// it sleeps when none of them can go on. So code stays straight-line, and one thread has thousands of
/// operations under way. The thread's own stack takes part as if it were a fiber.
///
/// A fiber begins when its maker blocks, yields or ends, after those that could run before. It stays in the
/// thread that made it, and runs until it blocks, yields or ends: a loop that does neither keeps the thread.
/// A mutex, or a system call that blocks, blocks the thread with all its fibers.
///
/// The destructor joins, as that of std::jthread does, unless the fiber was joined or detached; what the
/// function returned or threw is lost then. The handle is for the thread that made the fiber: elsewhere its
/// calls throw InvalidArgument, and destroying it ends the program. `Result` is what the function returns, as
/// a value; it is deduced: `Fiber fiber([&] { return queue.get(); });`.
///
/// When a thread ends with fibers that have not, these end before, in the order in which they were made: the
/// call they are blocked in, and each later one that would block, throws FiberEnded, so that they unwind. One
/// that has not begun does not begin. A fiber that catches it and goes on for ever keeps the thread from
/// ending. The same in the main thread when the function that `wyvern::run` was given has returned, and
/// before static objects end; exit() called in a fiber there ends all but this one.
///
/// A fiber that overflows its stack ends the program, with a message: see docs/fibers.md.
template <class Result = void>
class Fiber {
 public:
  /// No fiber.
  Fiber() = default;
  /// Makes a fiber that calls `function(args...)` with copies that it has of them. Does not block, nor run
  /// it. Throws OutOfMemory if there is no room for a stack, InvalidArgument if a quarter of it is too little
  /// for the copies, FiberEnded when the thread is ending, and what copying throws.
  template <class Function, class... Args>
    requires std::invocable<std::decay_t<Function>, std::decay_t<Args>...>
  explicit Fiber(Function&& function, Args&&... args)
      : Fiber(FiberOptions{}, std::forward<Function>(function), std::forward<Args>(args)...) {}
  template <class Function, class... Args>
    requires std::invocable<std::decay_t<Function>, std::decay_t<Args>...>
  explicit Fiber(const FiberOptions& options, Function&& function, Args&&... args) {
    using Task = detail::FiberTask<Result, std::decay_t<Function>, std::decay_t<Args>...>;
    handle_.template start<Task>(options.stack_bytes, std::forward<Function>(function),
                                 std::forward<Args>(args)...);
  }

  /// Whether there is a fiber to join: it was not joined, detached or moved from.
  bool joinable() const noexcept { return handle_.joinable(); }
  /// Waits until it has ended. What the function returned; or throws what it threw. Once. Throws
  /// InvalidArgument if there is no fiber, or if it is the calling one; FiberEnded if the caller is a fiber
  /// that is being ended.
  Result join();
  /// Nobody will join: it ends by itself, at the latest with its thread. What its function throws from then
  /// on, except FiberEnded, ends the program, as in a thread. Throws InvalidArgument if there is no fiber.
  void detach() { handle_.detach(); }

 private:
  detail::FiberHandle handle_;
};

template <class Function, class... Args>
  requires std::invocable<std::decay_t<Function>, std::decay_t<Args>...>
explicit Fiber(Function&&, Args&&...) -> Fiber<detail::FiberResultOf<Function, Args...>>;
template <class Function, class... Args>
  requires std::invocable<std::decay_t<Function>, std::decay_t<Args>...>
explicit Fiber(const FiberOptions&, Function&&, Args&&...) -> Fiber<detail::FiberResultOf<Function, Args...>>;

template <class Result>
Result Fiber<Result>::join() {
  detail::FiberControl& control = handle_.wait_for_end();
  struct Release {
    detail::FiberHandle& handle;
    ~Release() { handle.release(); }
  };
  const Release at_the_end{handle_};
  if (control.failure != nullptr) std::rethrow_exception(std::exchange(control.failure, nullptr));
  if constexpr (!std::is_void_v<Result>)
    return std::move(*static_cast<detail::FiberResult<Result>&>(control).value);
}

}  // namespace wyvern
