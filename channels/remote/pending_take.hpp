#pragma once

#include <cstdint>
#include <optional>

#include <wyvern/channels/remote/remote_access.hpp>
#include <wyvern/channels/remote/remote_channel.hpp>
#include <wyvern/channels/remote/remote_message.hpp>
#include <wyvern/channels/ring_layout.hpp>
#include <wyvern/core/wait_limit.hpp>

namespace wyvern {

/// A get (or lease) of a channel of another node that is under way beside others, as a select has them. The
/// home serves it as any other; a message that comes for it and is not finished goes back to the front of
/// its queue, without a delivery counted. Everything under the lock of the access. Stays where it is; the
/// channel outlives it.
class PendingTake {
 public:
  PendingTake(RemoteChannel& channel, IntentKind kind) : channel_(channel), kind_(kind) {}
  PendingTake(const PendingTake&) = delete;
  PendingTake& operator=(const PendingTake&) = delete;

  RemoteAccess& access() const { return channel_.access_; }

  /// Asks the home, unless it is asked already; `order` grows from call to call of a select. False: what an
  /// earlier call has left there was not settled in time. NodeLost, OutOfMemory, FiberEnded.
  bool ask(RemoteAccess::Lock& lock, const WaitLimit& limit, std::uint64_t order);
  /// Whether what comes for it comes before what does for the other one, of the same channel. For the caller
  /// of both `ask`, also without the lock.
  bool is_before(const PendingTake& other) const;
  /// Whether `finish` knows more.
  bool is_over() const;
  /// What has come; nothing: no message, it is to be asked again. Throws what a get throws.
  std::optional<RemoteMessage> finish(RemoteAccess::Lock& lock);
  /// It is not wanted any more, if it is under way. To be followed by `send`.
  void withdraw() noexcept;
  void send() const { channel_.access_.send(*channel_.node_); }

 private:
  bool is_lease() const { return kind_ == IntentKind::lease; }
  /// What comes is the process's already, and stays.
  bool is_prefetched() const { return !is_lease() && channel_.terms_.prefetch != 0; }

  RemoteChannel& channel_;
  IntentKind kind_;
  bool is_asked_ = false;
  bool was_left_ = false;  // by an earlier call that was cancelled
  std::uint32_t number_ = 0;
  std::uint64_t asked_as_ = 0;  // among those of the select
  std::optional<RemoteOperation> operation_;
};

}  // namespace wyvern
