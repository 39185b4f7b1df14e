#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <wyvern/core/deadline.hpp>
#include <wyvern/core/puid.hpp>
#include <wyvern/runtime/process.hpp>

/// Waiting for processes of the job, whoever has started them and wherever they run, from any thread and as
/// often as you like: how a process ended is kept for the life of the job. An exit status is 0..255, or minus
/// the number of the signal that ended the process.
///
/// What waits sleeps, and costs nothing; where the thread has fibers only the calling one waits, and
/// FiberEnded is thrown when it is ended. All throw NotAMember outside of a job, NodeLost when the node of a
/// process is, and InvalidArgument for a process that was not started, for a puid that no process of this job
/// ever had, and for that of the calling process.
///
/// A process with a piped input may wait for its end. Only Process::join closes one that nobody has taken:
/// for all other calls take it and close it before.
namespace wyvern {

namespace detail {

std::optional<int> join_until(Puid process, Deadline deadline);
std::optional<std::size_t> wait_any_until(std::span<const Puid> processes, Deadline deadline);
std::optional<std::vector<int>> wait_all_until(std::span<const Puid> processes, Deadline deadline);
std::vector<Puid> puids_of(std::span<const Process> processes);

}  // namespace detail

/// Waits until it has ended; its exit status.
int join(Puid process);
/// The same, for so long; nothing: it has not ended in time.
template <class Rep, class Period>
std::optional<int> try_join_for(std::chrono::duration<Rep, Period> duration, Puid process) {
  return detail::join_until(process, Deadline::after(duration));
}

/// Waits until one of them has ended; which, as its place among them. One that has ended stays so: leave out
/// what you have seen, for the next. Throws InvalidArgument if there are none. For processes of several nodes
/// a fiber of the calling thread waits on each of them: throws OutOfMemory if there is no room for those.
std::size_t wait_any(std::span<const Puid> processes);
std::size_t wait_any(std::span<const Process> processes);
/// The same, for so long; nothing: none has ended in time.
template <class Rep, class Period>
std::optional<std::size_t> try_wait_any_for(std::chrono::duration<Rep, Period> duration,
                                            std::span<const Puid> processes) {
  return detail::wait_any_until(processes, Deadline::after(duration));
}
template <class Rep, class Period>
std::optional<std::size_t> try_wait_any_for(std::chrono::duration<Rep, Period> duration,
                                            std::span<const Process> processes) {
  return detail::wait_any_until(detail::puids_of(processes), Deadline::after(duration));
}

/// Waits until all have ended; their exit statuses, in the same order.
std::vector<int> wait_all(std::span<const Puid> processes);
std::vector<int> wait_all(std::span<const Process> processes);
/// The same, for so long; nothing: not all have ended in time.
template <class Rep, class Period>
std::optional<std::vector<int>> try_wait_all_for(std::chrono::duration<Rep, Period> duration,
                                                 std::span<const Puid> processes) {
  return detail::wait_all_until(processes, Deadline::after(duration));
}
template <class Rep, class Period>
std::optional<std::vector<int>> try_wait_all_for(std::chrono::duration<Rep, Period> duration,
                                                 std::span<const Process> processes) {
  return detail::wait_all_until(detail::puids_of(processes), Deadline::after(duration));
}

}  // namespace wyvern
