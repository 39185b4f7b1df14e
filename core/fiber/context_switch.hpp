#pragma once

#include <cxxabi.h>

#include <utility>

#include <boost/context/detail/fcontext.hpp>

#include <wyvern/core/fiber/context.hpp>
#include <wyvern/core/fiber/stack_pool.hpp>

#if defined(__SANITIZE_ADDRESS__)
#define WYVERN_ASAN
#elif defined(__SANITIZE_THREAD__)
#define WYVERN_TSAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WYVERN_ASAN
#elif __has_feature(thread_sanitizer)
#define WYVERN_TSAN
#endif
#endif
#if defined(WYVERN_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#elif defined(WYVERN_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

// From one stack to another. The switch itself is Boost.Context's, in its bare form: what its class adds is a
// record on the stack and one more indirect call each time.
namespace wyvern::detail {

/// The calling thread's.
inline HandledExceptions& handled_exceptions() {
  return *reinterpret_cast<HandledExceptions*>(abi::__cxa_get_globals());
}

/// The running stack of a thread becomes one that can be switched from.
inline void adopt_thread(Context& context) {
#if defined(WYVERN_TSAN)
  context.tsan_fiber = __tsan_get_current_fiber();
#else
  static_cast<void>(context);  // what asan has to know is learnt at the first switch
#endif
}

/// The first switch to `context` will call `entry` on the part of `stack` that is below `top`.
inline void prepare_context(Context& context, const Stack& stack, std::byte* top,
                            void (*entry)(boost::context::detail::transfer_t)) {
  context.at =
      boost::context::detail::make_fcontext(top, static_cast<std::size_t>(top - stack.bottom), entry);
  context.stack_bottom = stack.bottom;
  context.stack_bytes = stack.bytes;
#if defined(WYVERN_ASAN)
  // Of whoever ended on it before.
  __asan_unpoison_memory_region(stack.bottom, static_cast<std::size_t>(top - stack.bottom));
#elif defined(WYVERN_TSAN)
  context.tsan_fiber = __tsan_create_fiber(0);
#endif
}

/// To be called first after each switch, on the stack that it went to: `mine`.
inline void arrive(Context& mine, boost::context::detail::transfer_t from) {
  auto& left = *static_cast<Context*>(from.data);
  left.at = from.fctx;
#if defined(WYVERN_ASAN)
  __sanitizer_finish_switch_fiber(mine.fake_stack, &left.stack_bottom, &left.stack_bytes);
#else
  static_cast<void>(mine);
#endif
}

enum class Leaving { for_now, for_good };

/// Suspends `from`, on which the caller runs, and goes on with `to`. `handled` is the thread's. Returns when
/// somebody switches back.
template <Leaving leaving = Leaving::for_now>
void switch_context(Context& from, Context& to, HandledExceptions& handled) {
  from.handled = std::exchange(handled, to.handled);
#if defined(WYVERN_ASAN)
  __sanitizer_start_switch_fiber(leaving == Leaving::for_good ? nullptr : &from.fake_stack, to.stack_bottom,
                                 to.stack_bytes);
#elif defined(WYVERN_TSAN)
  __tsan_switch_to_fiber(to.tsan_fiber, 0);
#endif
  arrive(from, boost::context::detail::jump_fcontext(to.at, &from));
}

/// Nobody will switch to it any more.
inline void end_context(Context& context) {
#if defined(WYVERN_TSAN)
  __tsan_destroy_fiber(context.tsan_fiber);
#else
  static_cast<void>(context);
#endif
}

}  // namespace wyvern::detail
