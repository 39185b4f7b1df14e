#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <wyvern/transport/remote_read.hpp>

namespace wyvern {

/// Says which call into a provider an endpoint is in, for another thread to see.
///
/// One word holds all, so there is nothing to order between words, and no other memory is read because of it:
/// relaxed is enough. The watchdog sees the last word that was stored, a moment late; a word that it sees
/// again and again was not replaced in between, because the number of the call is part of it. Only the
/// endpoint's thread stores.
class CallMark {
 public:
  /// For calls that are to no peer in particular.
  static constexpr PeerNumber no_peer = ~PeerNumber{0};

  void enter(PeerNumber peer) noexcept {
    number_ += std::uint64_t{1} << 32;
    word_.store(number_ | peer, std::memory_order_relaxed);
  }
  void leave() noexcept { word_.store(outside, std::memory_order_relaxed); }

 private:
  friend class CallWatchdog;
  static constexpr std::uint64_t outside = 0;

  std::atomic<std::uint64_t> word_{outside};  // the call's number, and the peer
  std::uint64_t number_ = 0;                  // in the upper half
};

/// A call into a provider that has not returned, and most likely never will.
struct StuckCall {
  std::string_view provider;
  PeerNumber peer = CallMark::no_peer;  ///< that was to be reached; no_peer: it was a poll
  std::string_view peer_name;           ///< its address, where that is text
  std::chrono::milliseconds duration{0};
};

/// What happens, to whom, and what to do about it.
std::string describe(const StuckCall& call);

struct CallWatchdogOptions {
  /// Much longer than a process that has work to do is kept from it on a busy machine.
  std::chrono::milliseconds stuck_after{5000};
  /// Called once for a stuck call, on the watchdog's thread, where endpoints must not be opened or closed and
  /// peers not be added; must not throw. Empty: a line on stderr.
  std::function<void(const StuckCall&)> handler = {};
};

/// Reports calls of an endpoint into its provider that do not return. On shm a process that is killed can
/// leave a lock behind that others spin on for ever, inside the library, where nothing can interrupt them.
///
/// One thread looks for all of them in a process, some times in `stuck_after`; it is started with the first
/// and has ended when the last is destroyed. It handles no signals. After a fork the child's own ones have a
/// thread of their own; those that it has inherited do nothing.
///
/// Time in which the process was stopped does not count. Any thread.
class CallWatchdog {
 public:
  /// `mark` outlives this. Throws InvalidArgument for a time that is too short.
  CallWatchdog(const CallMark& mark, std::string provider, CallWatchdogOptions options = {});
  ~CallWatchdog();
  CallWatchdog(const CallWatchdog&) = delete;
  CallWatchdog& operator=(const CallWatchdog&) = delete;

  /// For reports. Waits for a handler that runs.
  void name_peer(PeerNumber peer, std::string name);

 private:
  class Thread;

  /// On the thread, each `period`.
  void look(std::chrono::milliseconds period);
  std::chrono::milliseconds period() const;

  const CallMark& mark_;
  std::string provider_;
  CallWatchdogOptions options_;
  Thread* thread_;
  // Under the thread's lock:
  std::vector<std::string> peer_names_;
  std::uint64_t last_word_ = CallMark::outside;
  std::chrono::milliseconds same_for_{0};
  bool is_reported_ = false;
};

}  // namespace wyvern
