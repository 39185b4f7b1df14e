#pragma once

#include <functional>
#include <type_traits>
#include <utility>

#include <wyvern/runtime/runtime.hpp>

namespace wyvern {

namespace detail {

int run(int argc, char** argv, const std::function<int(Runtime&)>& head);

}  // namespace detail

/// Makes this process a member of a job; to be called once, from main, with main's arguments, whose return
/// value it gives. In the head process, the one that the user has started, `function(Runtime&)` runs, and the
/// job lasts until it has returned and the processes that it has started and not detached have ended. In a
/// process that was started with Process::start, what it was started for runs instead. `function` returns
/// void (status 0) or int.
///
/// An exception that nobody catches is printed with its type and the puid, and the status is 1. Throws
/// InvalidArgument when called for the second time.
template <class F>
int run(int argc, char** argv, F&& function) {
  return detail::run(argc, argv, [&function](Runtime& runtime) -> int {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, Runtime&>>) {
      std::invoke(function, runtime);
      return 0;
    } else {
      return std::invoke(function, runtime);
    }
  });
}

}  // namespace wyvern
