#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <wyvern/channels/given_back.hpp>
#include <wyvern/channels/ring.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/object_reference.hpp>
#include <wyvern/core/thread_number.hpp>
#include <wyvern/core/wait_limit.hpp>

namespace wyvern {

class LocalChannel;

/// A port for the time of one operation, or as long as a message is built or read in its block; goes back to
/// its process's channel when destroyed. The channel must outlive it.
class PortGuard {
 public:
  PortGuard(LocalChannel& channel, BorrowedPort port) : channel_(&channel), port_(port) {}
  PortGuard(PortGuard&& other) noexcept
      : channel_(std::exchange(other.channel_, nullptr)), port_(other.port_) {}
  PortGuard& operator=(PortGuard&& other) noexcept {
    std::swap(channel_, other.channel_);
    std::swap(port_, other.port_);
    return *this;
  }
  ~PortGuard();
  const BorrowedPort& operator*() const { return port_; }
  const BorrowedPort* operator->() const { return &port_; }
  /// The port is not this process's any more.
  void forget() { channel_ = nullptr; }

 private:
  LocalChannel* channel_;
  BorrowedPort port_;
};

/// A message under construction in the block of a port. Its memory goes back to the channel when it is
/// destroyed without having been put. The channel must outlive it.
class HeldLoan {
 public:
  HeldLoan(LocalChannel& channel, PortGuard port, std::uint64_t bytes);
  HeldLoan(HeldLoan&& other) noexcept;
  HeldLoan& operator=(HeldLoan&& other) noexcept;
  ~HeldLoan();
  std::span<std::byte> bytes() const { return bytes_; }
  const PortGuard& port() const { return port_; }
  /// The message is only the first `payload_bytes`, and carries these handles, for which there is room behind
  /// them (message_bytes). The caller holds the objects until it is put.
  void carry(std::uint64_t payload_bytes, std::span<const ObjectReference> handles);
  /// It is in the ring: the port, which holds another, free block now, is given back.
  void published();
  /// Whether it can be put there: false once it was put.
  bool belongs_to(const LocalChannel& channel) const { return channel_ == &channel; }

 private:
  LocalChannel* channel_;
  PortGuard port_;
  std::span<std::byte> bytes_;
};

/// A message that was taken and is read where it lies. One that was got is gone when this is destroyed; one
/// under a lease is given back, unless it is done. The channel must outlive it.
class HeldMessage {
 public:
  HeldMessage(LocalChannel& channel, PortGuard port, IntentKind kind);
  HeldMessage(HeldMessage&& other) noexcept;
  HeldMessage& operator=(HeldMessage&& other) noexcept;
  ~HeldMessage() { end(); }
  std::span<const std::byte> bytes() const { return bytes_; }

  /// For a lease: how many deliveries of it were in vain.
  std::uint32_t delivery_count() const;
  /// Ends the lease: the message is dealt with. Throws LeaseLost if it is this holder's no more.
  void done();
  /// Ends the lease: the message is got, as if it had been taken so. Throws LeaseLost.
  void get();
  /// Ends the lease: the message goes back as if it had not been taken, without a delivery more.
  void put_back() noexcept;

 private:
  void check_leased(const char* call);
  void end() noexcept;
  void return_message(LocalChannel& channel, Return how) noexcept;
  bool is_lost() const;

  LocalChannel* channel_;
  PortGuard port_;
  std::span<const std::byte> bytes_;
  std::uint64_t owner_;  // of the port while this holds it
  IntentKind kind_;
};

/// Where a message is that was got to be copied.
enum class Received : std::uint8_t { nothing, in_buffer, in_other };

/// One process's opening of a channel on its own node: what all its handles share. Holds the object, keeps
/// the ports that this process has on the channel, and brings ring, payloads and waiting together. All calls
/// from any thread. Unless it says otherwise a call throws QueueClosed, TooLarge, OutOfMemory, NodeLost, and
/// NotAMember in a plain fork.
class LocalChannel {
 public:
  /// The process's opening of that channel; makes one, with a hold, if there is none yet. QueueLost if it has
  /// gone.
  static std::shared_ptr<LocalChannel> open(const std::shared_ptr<Member>& member,
                                            const ObjectReference& reference);

  LocalChannel(std::shared_ptr<Member> member, const ObjectReference& reference);
  /// Gives the ports back and lets the object go. Gets that were not reported done count as lost.
  ~LocalChannel();
  LocalChannel(const LocalChannel&) = delete;
  LocalChannel& operator=(const LocalChannel&) = delete;

  const std::shared_ptr<Member>& member() const { return member_; }
  const ObjectReference& reference() const { return reference_; }
  const RingView& view() const { return view_; }

  /// True: in the queue. False: no room in time, nothing has changed. The caller holds the objects whose
  /// handles the message carries.
  bool put(std::span<const std::byte> payload, std::span<const ObjectReference> handles,
           const WaitLimit& limit);
  /// Memory for a message of so many bytes; nothing: max_bytes left none in time.
  std::optional<HeldLoan> loan(std::uint64_t bytes, const WaitLimit& limit);
  /// Throws TooLarge for a message that can never fit.
  void check_size(std::uint64_t bytes) const;
  /// As put. On false, and when it throws, the loan is as it was.
  bool put(HeldLoan& loan, const WaitLimit& limit);
  /// The same now or not at all; who waits for messages is to be woken afterwards (getters).
  bool put_without_wake(HeldLoan& loan);
  /// The next message, got or under a lease, or nothing in time. QueueClosed once closed and drained; for a
  /// lease, once no message can come back either.
  std::optional<HeldMessage> take(IntentKind kind, const WaitLimit& limit);
  /// The same now or not at all, for who looks at several: the end is an outcome like empty.
  RingOutcome take_now(IntentKind kind, std::optional<HeldMessage>& message);
  /// What a take waits for: a message, or the end. Whoever is woken for it and takes nothing passes the wake
  /// on.
  bool has_something(IntentKind kind) const;
  /// As take, for a message that is got and copied: into `buffer`, whose size it is expected to have, or, if
  /// it has another one, into `other`.
  Received get_into(std::span<std::byte> buffer, std::vector<std::byte>& other, const WaitLimit& limit);

  void close();
  bool closing() const;

  /// Reports one message done that this process got. InvalidArgument if it has reported them all.
  void task_done();
  /// The same for so many, and for messages that were got and are lost.
  void tasks_done(std::uint64_t count);
  void tasks_lost(std::uint64_t count);
  /// True once every message that was put is done, or was lost with a process that had got it.
  bool join(const WaitLimit& limit);

  /// "queue 'name' 4294967298" for messages.
  std::string description() const;

 private:
  friend class PortGuard;
  friend class HeldLoan;
  friend class HeldMessage;
  friend class PutBatch;
  friend class TakeBatch;

  /// The calling thread's own port, to be used and left where it is by a call that runs no code of others
  /// meanwhile; null: it is in use further up, or there is none yet.
  const BorrowedPort* port_at_hand() const {
    Member::check_not_forked();
    const std::uint32_t number = thread_number();
    return number < cells && cells_[number].port.port != nullptr ? &cells_[number].port : nullptr;
  }
  PortGuard borrow_port();
  PortGuard borrow_balanced_port();
  BorrowedPort borrow_port_slowly();
  BorrowedPort claim_port();
  std::optional<std::uint32_t> claim_free_port();
  void return_port(const BorrowedPort& port) noexcept;
  void trim_spare_ports() noexcept;
  void reserve_for_port();
  void forget_port() noexcept;
  RingOutcome write_and_put_here(const BorrowedPort& port, std::span<const std::byte> payload,
                                 std::span<const ObjectReference> handles);
  RingOutcome write_and_put(const BorrowedPort& port, std::span<const std::byte> payload,
                            std::span<const ObjectReference> handles);
  bool put_waiting(std::span<const std::byte> payload, std::span<const ObjectReference> handles,
                   const WaitLimit& limit);
  bool put_large(std::span<const std::byte> payload, std::span<const ObjectReference> handles,
                 const WaitLimit& limit);
  bool put_through_home(std::span<const std::byte> payload, std::span<const ObjectReference> handles,
                        const WaitLimit& limit);
  RingOutcome try_take(PortGuard& port, IntentKind kind);
  template <class Attempt>
  bool take_waiting(IntentKind kind, const WaitLimit& limit, Attempt attempt);
  RingOutcome attempt_take(IntentKind kind, std::optional<HeldMessage>& message);
  bool needs_port_for_nothing(IntentKind kind) const;
  void count_gets(std::uint64_t count, std::uint64_t (*count_in)(Port&, std::uint64_t));
  void wake_joiners_if_done() const;
  void wake_if_leases_end() const;
  [[noreturn]] void throw_closed(const char* what) const;
  BorrowedPort port_with(std::uint32_t number) const { return {&view_.port(number), number}; }

  /// A port at hand for the thread with that number, which alone touches it.
  struct alignas(cache_line) Cell {
    BorrowedPort port;
  };
  static constexpr std::size_t cells = 8;
  /// Ports that are kept for threads without a cell, and for more than one at a time.
  static constexpr std::size_t most_spare_ports = 16;

  std::shared_ptr<Member> member_;
  ObjectReference reference_;
  RingView view_;
  std::array<Cell, cells> cells_;
  std::mutex spare_ports_mutex_;            // also around whatever moves counts between ports, or a port away
  std::vector<std::uint32_t> spare_ports_;  // with room for all that we have claimed
  std::size_t claimed_ports_ = 0;
};

inline PortGuard::~PortGuard() {
  if (channel_ != nullptr) channel_->return_port(port_);
}

inline void HeldLoan::published() {
  channel_ = nullptr;
  bytes_ = {};
  const PortGuard given_back = std::move(port_);
}

}  // namespace wyvern
