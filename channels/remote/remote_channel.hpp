#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <wyvern/channels/remote/loans_ahead.hpp>
#include <wyvern/channels/remote/remote_access.hpp>
#include <wyvern/channels/remote/remote_message.hpp>
#include <wyvern/channels/ring_layout.hpp>
#include <wyvern/core/agent_link.hpp>
#include <wyvern/core/object_reference.hpp>
#include <wyvern/core/wait_limit.hpp>

namespace wyvern {

/// This process's opening of a channel on another node: what all its handles share. The calls of
/// LocalChannel, with its results and errors; besides, each throws NodeLost when the node is. Thread-safe.
/// Holds the member, which owns `access`.
///
/// A put without a deadline may run ahead of the home's answer by `window` messages, and returns when it is
/// sent, or about to be; what it could not do there is told by the next put or flush. Puts with a deadline,
/// or with handles, and large ones wait for the answer, but for loans, which the home reads where they lie.
class RemoteChannel : public std::enable_shared_from_this<RemoteChannel> {
 public:
  /// The process's opening of that channel; asks its home if there is none yet. QueueLost if it has gone.
  static std::shared_ptr<RemoteChannel> open(RemoteAccess& access, const ObjectReference& reference);
  /// A channel whose node is lost, of which every call says so. Throws NodeLost if nothing is known of it.
  static std::shared_ptr<RemoteChannel> open_lost(RemoteAccess& access, const ObjectReference& reference);
  /// A new channel on that node; throws what AgentLink::create_channel does.
  static std::shared_ptr<RemoteChannel> create(RemoteAccess& access, std::uint32_t node,
                                               const ChannelSpec& spec);
  RemoteChannel(const RemoteChannel&) = delete;
  RemoteChannel& operator=(const RemoteChannel&) = delete;

  const std::shared_ptr<Member>& member() const { return member_; }
  const ObjectReference& reference() const { return reference_; }
  const wire::QueueTerms& terms() const { return terms_; }

  bool put(std::span<const std::byte> payload, std::span<const ObjectReference> handles,
           const WaitLimit& limit);
  /// Memory for a message of so many bytes; never waits. Throws TooLarge for one that can never fit,
  /// OutOfMemory.
  RemoteLoan loan(std::uint64_t bytes);
  /// As put. On false, and when it throws, the loan is as it was.
  bool put(RemoteLoan& loan, const WaitLimit& limit);
  /// What was asked for and is not wanted any more goes back. Under the lock of the access.
  void end_prefetch(RemoteAccess::Lock& lock) noexcept;
  /// Whether the home still reads loans, or will: their memory is needed. Under the lock of the access.
  bool is_read() const { return loans_.any_under_way() && !node_->lost(); }
  /// Everything that this process has put is in the queue; QueueClosed if some was turned back. False: not in
  /// time.
  bool flush(const WaitLimit& limit = WaitLimit::never());
  std::optional<RemoteMessage> take(IntentKind kind, const WaitLimit& limit) {
    return take(kind, limit, limit.is_now());
  }
  /// What is there now, as the home says; nothing also if it has not said so in time. Of what is prefetched,
  /// within a limit that is not now, what has come: it does not wait for the home then.
  std::optional<RemoteMessage> take_now(IntentKind kind, const WaitLimit& limit) {
    return take(kind, limit, true);
  }
  /// Between one and `most` messages: waits for the first, and gets what is there then; none: nothing in
  /// time.
  std::vector<RemoteMessage> take_many(std::size_t most, const WaitLimit& limit);
  void close();
  /// Reports one message done that this process got. InvalidArgument if it has reported them all.
  void task_done();
  /// How many were lost, once all are done or lost; nothing: not so in time.
  std::optional<std::uint64_t> join(const WaitLimit& limit);
  std::uint64_t size();

  /// "queue 'name' 4294967298 of node 1", for messages.
  std::string description() const;

 private:
  friend class RemoteMessage;
  friend class RemoteLoan;
  friend class RemotePutBatch;
  friend class PendingTake;
  RemoteChannel(RemoteAccess& access, std::shared_ptr<RemoteNode> node)
      : member_(access.shared_member()), access_(access), node_(std::move(node)) {}

  /// A get that nobody waits for, and its place among all that were said.
  struct Prefetched : NumberedOperation {
    std::uint64_t place = 0;
  };

  /// What batches have put, of all threads, that has no answer yet.
  struct PutsOfBatches {
    std::size_t runs = 0;
    std::uint32_t count = 0;
    std::size_t held_bytes = 0;  // at the home, until there is room
  };

  static std::shared_ptr<RemoteChannel> make(RemoteAccess& access, std::shared_ptr<RemoteNode> node);
  void ask_to_open(RemoteAccess::Lock& lock, wire::FrameKind how, std::span<const std::byte> body);
  void let_go() noexcept;
  void check_size(std::uint64_t bytes) const;
  void check_message(std::uint64_t bytes, std::span<const ObjectReference> handles) const;
  bool is_small(const wire::Cargo& cargo) const;
  void settle_loans();
  void check_ahead(const char* call);
  std::uint32_t turned_back() const { return ahead_.turned_back + loans_.turned_back(); }
  bool may_run_ahead(const WaitLimit& limit) const;
  template <class MayGo>
  void wait_to_run_ahead(RemoteAccess::Lock& lock, MayGo may_go, std::uint64_t awake_ns);
  /// Whoever calls it says when that is sent.
  void put_ahead(RemoteAccess::Lock& lock, std::span<const std::byte> payload);
  void put_ahead(RemoteAccess::Lock& lock, RemoteLoan& loan);
  RemoteMemory registered(RemoteLoan& loan);
  void say_put(const wire::Cargo& cargo, std::uint32_t operation, wire::FrameFlags how);
  bool put_answered(RemoteAccess::Lock& lock, const wire::Cargo& cargo, const WaitLimit& limit);
  bool put_large(RemoteAccess::Lock& lock, const wire::Cargo& cargo, const WaitLimit& limit);
  std::optional<std::uint64_t> ask(wire::FrameKind kind, const char* call, const WaitLimit& limit);
  void wait_and_end(RemoteAccess::Lock& lock, std::uint32_t number, RemoteOperation& operation);
  void say(wire::FrameKind kind, std::uint32_t operation, wire::FrameFlags flags = 0);
  std::optional<RemoteMessage> take(IntentKind kind, const WaitLimit& limit, bool is_now);
  bool settle_left(RemoteAccess::Lock& lock, bool is_lease, const WaitLimit& limit);
  std::optional<RemoteMessage> take_prefetched(RemoteAccess::Lock& lock, const WaitLimit& limit, bool is_now);
  RemoteMessage take_first_prefetched(RemoteAccess::Lock& lock);
  void take_what_is_prefetched(std::vector<RemoteMessage>& messages, std::size_t most);
  void prefetch();
  void say_get(Prefetched& get, wire::FrameFlags flags);
  bool find_first_prefetched();
  void look_for_one_more(RemoteAccess::Lock& lock);
  void cancel_prefetched();
  bool are_prefetched_over() const;
  void return_prefetched();
  bool give_back_prefetched(RemoteAccess::Lock& lock, const WaitLimit& limit);
  std::uint32_t ask_for_message(RemoteOperation& answer, bool is_lease, bool is_now);
  RemoteMessage receive(RemoteAccess::Lock& lock, std::uint32_t operation, IntentKind kind,
                        RemoteOperation answer);
  bool take_more(std::vector<RemoteMessage>& messages, std::size_t count);
  AlignedBytes fetch(RemoteAccess::Lock& lock, const RemoteMemory& memory);
  void check_outcome(const RemoteOperation& operation, const char* call) const;
  [[noreturn]] void throw_closed(const std::string& call) const;

  std::shared_ptr<Member> member_;  // ends last
  RemoteAccess& access_;
  std::shared_ptr<RemoteNode> node_;
  ObjectReference reference_;
  wire::QueueTerms terms_;
  PutsAhead ahead_;
  LoansAhead loans_;
  PutsOfBatches batches_;
  std::list<Prefetched> prefetched_;   // gets that nobody waits for yet, which end in this order
  std::uint64_t prefetches_said_ = 0;  // of those
  std::uint32_t giving_back_ = 0;      // calls that give these back: no more are said
  std::uint32_t opening_ = 0;
  std::uint64_t not_reported_ = 0;  // gets
  bool is_closed_ = false;          // as far as is known here
};

}  // namespace wyvern
