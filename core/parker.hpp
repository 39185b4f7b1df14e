#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <wyvern/core/member.hpp>
#include <wyvern/core/wait_limit.hpp>

namespace wyvern {

/// What a sleeping thread waits for, so that the agent can test its condition for it: {kind:8, object or
/// number:56}.
enum class InterestKind : std::uint64_t {
  none = 0,
  message = 1,
  room = 2,
  payload_room = 3,
  process_exit = 4,  ///< of that number, or of any: any_process
  name = 5,
  lease = 6,  ///< a message, or the end of a channel none of whose leases can come back
  tasks_done = 7,
  several = 8  ///< more than can be said here: the agent's sweep looks where it is registered
};

/// Stands for any process, as the number of an interest in an exit.
inline constexpr std::uint64_t any_process = (std::uint64_t{1} << 56) - 1;

constexpr std::uint64_t make_interest(InterestKind kind, std::uint64_t number) {
  return (static_cast<std::uint64_t>(kind) << 56) | number;
}
constexpr InterestKind interest_kind(std::uint64_t interest) {
  return static_cast<InterestKind>(interest >> 56);
}
constexpr std::uint64_t interest_number(std::uint64_t interest) {
  return interest & ((std::uint64_t{1} << 56) - 1);
}

struct WaitResult {
  bool ready = false;     ///< the condition was seen to hold
  bool notified = false;  ///< a waker spent its wake on us: use it or pass it on
};

enum ParkerState : std::uint32_t { parker_awake = 0, parker_asleep = 1, parker_notified = 2 };

/// A thread's sleeping place in the segment; a thread with fibers has one for all of them (signal.hpp).
/// Protocol, in this order:
///   owner:  register where wakers look -> prepare() (ASLEEP) -> re-check the condition -> park() -> finish()
///   (AWAKE) waker:  make the condition true -> find the registration -> notify(): claim by ASLEEP ->
///   NOTIFIED, then wake
/// Either the owner's re-check sees the condition or the waker's look sees the registration: both sides use
/// sequentially consistent operations. A waker that dies after its claim leaves NOTIFIED, which the agent's
/// sweep finds. Used by its own thread only; a cell belongs to the thread from its first wait to its end.
class Parker {
 public:
  /// The calling thread's place on this member's node. OutOfMemory when max_parkers threads have one.
  static Parker& mine(const std::shared_ptr<Member>& member);

  explicit Parker(std::shared_ptr<Member> member);
  ~Parker();
  Parker(const Parker&) = delete;
  Parker& operator=(const Parker&) = delete;

  std::uint32_t index() const { return index_; }
  ParkerCell& cell() const { return cell_; }
  void prepare(std::uint64_t interest);
  /// Sleeps until notified, the deadline, or a request to stop that has come before.
  void park(const WaitLimit& limit);
  /// Ends a wait; true if a waker had claimed this parker, in which case its wake has to be used or passed
  /// on.
  bool finish();
  /// From now on wakers are to say what they wake for: see signal.hpp. Before any registration for a fiber.
  void take_signals();

  /// The calling thread's places end after its thread-local objects that are made after this call.
  static void outlive_later_objects();

 private:
  static std::vector<std::unique_ptr<Parker>>& of_thread();

  std::shared_ptr<Member> member_;
  std::uint32_t index_;
  ParkerCell& cell_;
};

/// Sleeps until `ready()`, which is asked again after each wake, or the limit.
template <class Ready>
WaitResult park_until(Parker& parker, std::uint64_t interest, Ready&& ready, const WaitLimit& limit) {
  WaitResult result;
  while (true) {
    parker.prepare(interest);
    result.ready = ready();
    if (result.ready || limit.passed()) return result;
    parker.park(limit);
    result.notified |= parker.finish();
  }
}

/// Claims a sleeping parker and wakes it; false if it is not asleep or was claimed by another.
bool notify(ParkerCell& cell);

}  // namespace wyvern
