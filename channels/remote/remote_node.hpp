#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <wyvern/channels/aligned_bytes.hpp>
#include <wyvern/channels/remote/control_tables.hpp>
#include <wyvern/channels/remote/frame_reader.hpp>
#include <wyvern/channels/remote/outbox.hpp>
#include <wyvern/core/job_key.hpp>
#include <wyvern/transport/endpoint.hpp>

namespace wyvern {

class RemoteNode;

/// That an operation is waited for where it is: if it goes while it still is, as with an exception, its
/// answer has nowhere to go. Under the lock of RemoteAccess.
class WaitedFor {
 public:
  WaitedFor() = default;
  WaitedFor(WaitedFor&&) noexcept {}  // it is waited for where it was
  WaitedFor& operator=(WaitedFor&&) noexcept { return *this; }
  ~WaitedFor();

 private:
  friend class RemoteNode;
  RemoteNode* node_ = nullptr;
  std::uint32_t number_ = 0;
};

/// What a guest has asked a home for, and how it ended. Stays where it is until it is over, or left.
struct RemoteOperation {
  wire::FrameKind outcome = wire::FrameKind::none;  ///< none: it is not over
  AlignedBytes bytes;                               ///< of a delivery, or the terms of a queue
  std::uint32_t deliveries = 0;
  RemoteMemory memory;  ///< of a large delivery; size 0: `bytes` are it
  std::uint64_t value = 0;
  std::optional<wire::Refusal> refusal;
  WaitedFor waited_for;

  bool is_over() const { return outcome != wire::FrameKind::none; }
};

/// How far the puts of an opening are for which no answer is waited.
class PutsAhead {
 public:
  /// What the home allows; before anything is put.
  void allow(std::uint32_t messages, std::uint32_t bytes);
  /// Whether any may be put ahead.
  bool is_allowed() const { return most_ != 0; }
  bool may_send(std::size_t bytes) const {
    const std::uint32_t under_way = not_ended();
    return under_way < most_ && (under_way == 0 || bytes_ + bytes <= most_bytes_);
  }
  void sent(std::size_t bytes);
  /// Of those that were sent.
  std::uint32_t not_ended() const { return sent_ - ended_; }
  /// So many have ended since the beginning. DecodeError: that cannot be.
  void end_until(std::uint32_t count);

  std::uint32_t turned_back = 0;
  std::optional<wire::Refusal> refusal = {};  ///< of one of them

 private:
  std::uint32_t& size_of(std::uint32_t number) { return sizes_[number & (sizes_.size() - 1)]; }

  std::vector<std::uint32_t> sizes_;  // of those that have not ended; a power of two, at least the window
  std::uint32_t most_ = 0;
  std::size_t most_bytes_ = 0;
  std::size_t bytes_ = 0;
  std::uint32_t sent_ = 0;
  std::uint32_t ended_ = 0;  // both count on
};

/// The home of queues on another node, as this process sees it: what is to be said there, and who waits for
/// which answer. Used under the lock of RemoteAccess.
class RemoteNode {
 public:
  RemoteNode(std::uint32_t number, PeerNumber peer, std::vector<std::byte> hello,
             std::size_t largest_message);

  std::uint32_t number() const { return number_; }
  PeerNumber peer() const { return peer_; }
  bool is_welcome() const { return is_welcome_; }
  /// What has become of it; nothing: it lives, as far as is known.
  const std::optional<std::string>& lost() const { return lost_; }
  wire::Outbox& outbox() { return outbox_; }

  /// The operation's number, from now on; until `end`.
  std::uint32_t begin(RemoteOperation& operation);
  void end(std::uint32_t operation);
  /// Nobody waits for it any more: a message that comes for it is given back. Ends by itself.
  void leave(std::uint32_t operation);
  /// The same for a get (or lease) that was cancelled, whose end has not come yet.
  void leave_get(std::uint32_t operation, std::uint32_t opening, bool is_lease);
  /// One of those, if there is one.
  std::optional<std::uint32_t> find_left_get(std::uint32_t opening, bool is_lease) const;
  /// How many have not ended.
  std::size_t operations() const { return operations_.size() - 1 - free_operations_.size(); }
  /// It has brought a message, about which there will be something to say under its number.
  void hold(std::uint32_t operation);
  /// The answer to that is waited for.
  void wait_again(std::uint32_t number, RemoteOperation& operation);

  std::uint32_t begin_opening(PutsAhead& ahead);
  void end_opening(std::uint32_t opening);

  /// What the home says. Throws Error for what no home says: the node counts as lost then.
  void message(std::span<const std::byte> bytes, const JobKey& key);
  /// Everything that is not over never will be.
  void lose(std::string why) { lost_ = std::move(why); }

 private:
  friend class WaitedFor;
  struct Slot {
    enum class State : std::uint8_t { unused, waited_for, left, held };
    State state = State::unused;
    RemoteOperation* operation = nullptr;  // of one that is waited for
    std::uint32_t opening = 0;             // of a get that was left
    bool is_lease = false;
  };

  void deal_with(const wire::Frame& frame);
  void deliver(const wire::Frame& frame);
  void conclude(const wire::Frame& frame);
  Slot& slot_of(const wire::Frame& frame);
  void free_slot(std::uint32_t operation);
  void change(std::uint32_t operation, const Slot& slot);
  void forget(std::uint32_t operation);

  std::uint32_t number_;
  PeerNumber peer_;
  std::vector<std::byte> hello_;
  bool is_welcome_ = false;
  std::optional<std::string> lost_;
  wire::Outbox outbox_;
  std::vector<Slot> operations_;  // by number, from 1
  std::vector<std::uint32_t> free_operations_;
  std::uint32_t left_gets_ = 0;
  std::unordered_map<std::uint32_t, PutsAhead*> openings_;
  std::uint32_t next_opening_ = 1;
};

}  // namespace wyvern
