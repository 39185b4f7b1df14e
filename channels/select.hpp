#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <vector>

#include <wyvern/channels/queue.hpp>
#include <wyvern/channels/select_arm.hpp>
#include <wyvern/core/wait_limit.hpp>

/// Waits for the first of several queues, which may hold different types:
///
///   select(on(tasks, [&](Task task) { work(task); }),
///          on(control, [&](Command command) { obey(command); }));
///
/// One message is taken from one of them, and what was given for that queue is called with it; the others are
/// as if nobody had looked. The result says which one it was: 0 for the first. Queues that several threads,
/// fibers and other processes select and get from are shared by them as by getters.
///
/// - Fair: where several have messages, they take turns; one that is never empty keeps nobody from another.
/// - A queue that is closed and drained is passed over. QueueClosed once all of them are.
/// - Queues of other nodes are asked; a message that comes from one when another has been chosen goes back to
///   the front of its queue. NodeLost if the node of one is, though others may still have messages.
/// - While a message is on its way to a process of another node, or back, other getters do not see it, and
///   may hear QueueClosed of a queue that is closed before it comes back: then they have to ask again. A
///   lease waits for what may come back.
/// - It throws what get and lease throw, and DecodeError for a message that is no T, which has left its
/// queue.
///   What the function throws comes out of select; its message has been taken.
///
/// A call that waits suspends a fiber, or blocks a thread, and uses no processor while it does. Thread-safe,
/// but what `on` returns is for one call at a time.
namespace wyvern {

/// `handler` is called with the next message of that queue, if the select takes one from it: a value, as get
/// returns it (of a Channel its bytes).
template <class T, std::invocable<T> Handler>
auto on(const Queue<T>& queue, Handler handler) {
  return detail::ValueArm<T, Handler>(queue.channel(), std::move(handler));
}
template <class T, std::invocable<T> Handler>
auto on(const Consumer<T>& queue, Handler handler) {
  return on(detail::SelectFrom::queue(queue), std::move(handler));
}
template <std::invocable<std::vector<std::byte>> Handler>
auto on(const Channel& channel, Handler handler) {
  return detail::BytesArm<Handler>(channel, std::move(handler));
}

/// The same with the message under a lease, which the handler reports done.
template <class T, std::invocable<Lease<T>> Handler>
auto on_lease(const Queue<T>& queue, Handler handler) {
  return detail::LeaseArm<T, Handler>(queue.channel(), std::move(handler));
}
template <class T, std::invocable<Lease<T>> Handler>
auto on_lease(const Consumer<T>& queue, Handler handler) {
  return on_lease(detail::SelectFrom::queue(queue), std::move(handler));
}

/// What `on` and `on_lease` return.
template <class Arm>
concept SelectArm = std::derived_from<std::remove_cvref_t<Arm>, detail::SelectArm>;

namespace detail {

template <class... Arms>
std::optional<std::size_t> select_and_handle(const WaitLimit& limit, Arms&... arms) {
  detail::SelectArm* const all[] = {&arms...};
  const std::optional<std::size_t> chosen = select_within(all, limit);
  std::size_t place = 0;
  ((chosen == place++ ? arms.handle() : void()), ...);
  return chosen;
}

}  // namespace detail

/// Blocks until one of the queues has a message. QueueClosed once all are closed and drained.
template <SelectArm... Arms>
std::size_t select(Arms&&... arms)
  requires(sizeof...(Arms) != 0)
{
  return *detail::select_and_handle(WaitLimit::never(), arms...);
}
/// Nothing: a stop was requested before a message came.
template <SelectArm... Arms>
std::optional<std::size_t> select(const std::stop_token& stop, Arms&&... arms)
  requires(sizeof...(Arms) != 0)
{
  return detail::select_and_handle(WaitLimit(stop), arms...);
}
/// Nothing: all of them are empty (now, for that long, until then).
template <SelectArm... Arms>
std::optional<std::size_t> try_select(Arms&&... arms)
  requires(sizeof...(Arms) != 0)
{
  return detail::select_and_handle(WaitLimit::now(), arms...);
}
template <class Rep, class Period, SelectArm... Arms>
std::optional<std::size_t> try_select_for(std::chrono::duration<Rep, Period> duration, Arms&&... arms)
  requires(sizeof...(Arms) != 0)
{
  return detail::select_and_handle(Deadline::after(duration), arms...);
}
template <class Clock, class Duration, SelectArm... Arms>
std::optional<std::size_t> try_select_until(std::chrono::time_point<Clock, Duration> time, Arms&&... arms)
  requires(sizeof...(Arms) != 0)
{
  return detail::select_and_handle(Deadline::until(time), arms...);
}

}  // namespace wyvern
