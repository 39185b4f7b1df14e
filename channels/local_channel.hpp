#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include <wyvern/channels/ring.hpp>
#include <wyvern/core/deadline.hpp>
#include <wyvern/core/member.hpp>

namespace wyvern {

class LocalChannel;

/// A port for the time of one operation; goes back to its process's channel when destroyed.
class PortGuard {
 public:
  PortGuard(LocalChannel& channel, BorrowedPort port) : channel_(&channel), port_(port) {}
  PortGuard(PortGuard&& other) noexcept;
  PortGuard& operator=(PortGuard&&) = delete;
  ~PortGuard();
  const BorrowedPort& operator*() const { return port_; }
  const BorrowedPort* operator->() const { return &port_; }

 private:
  LocalChannel* channel_;
  BorrowedPort port_;
};

/// A message that was got and is read where it lies. Pins its port; its memory goes back to the channel when
/// destroyed. The channel must outlive it.
class ReceivedMessage {
 public:
  ReceivedMessage(LocalChannel& channel, PortGuard port);
  ReceivedMessage(ReceivedMessage&& other) noexcept;
  ReceivedMessage& operator=(ReceivedMessage&&) = delete;
  ~ReceivedMessage();
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  LocalChannel* channel_;
  PortGuard port_;
  std::span<const std::byte> bytes_;
};

/// One process's opening of a channel on its own node: what all its handles share. Holds the object, keeps
/// the ports that this process has on the channel, and brings ring, payloads and waiting together. All calls
/// from any thread.
class LocalChannel {
 public:
  /// The process's opening of that channel; makes one, with a hold, if there is none yet. QueueLost if it has
  /// gone.
  static std::shared_ptr<LocalChannel> open(const std::shared_ptr<Member>& member,
                                            const ObjectReference& reference);

  LocalChannel(std::shared_ptr<Member> member, const ObjectReference& reference);
  /// Gives the ports back and lets the object go.
  ~LocalChannel();
  LocalChannel(const LocalChannel&) = delete;
  LocalChannel& operator=(const LocalChannel&) = delete;

  const std::shared_ptr<Member>& member() const { return member_; }
  const ObjectReference& reference() const { return reference_; }
  const RingView& view() const { return view_; }

  /// True: in the queue. False: no room in time, nothing has changed. Throws QueueClosed, TooLarge,
  /// OutOfMemory.
  bool put(std::span<const std::byte> payload, Deadline deadline);
  /// The next message, or nothing in time. QueueClosed once closed and drained.
  std::optional<ReceivedMessage> get(Deadline deadline);
  void close();
  bool closing() const;

  /// "queue 'name' 4294967298" for messages.
  std::string description() const;

 private:
  friend class PortGuard;
  friend class ReceivedMessage;
  class PayloadExtent;

  PortGuard borrow_port();
  BorrowedPort borrow_port_slowly();
  std::optional<std::uint32_t> claim_free_port();
  void return_port(const BorrowedPort& port) noexcept;
  void finish_reading(const BorrowedPort& port) noexcept;
  RingOutcome publish(const PortGuard& port, std::span<const std::byte> payload, PayloadExtent& extent);
  [[noreturn]] void throw_closed(const char* what) const;
  ProcessEntry& own_entry() const { return view_.segment().process(member_->process_index()); }
  BorrowedPort port_with(std::uint32_t number) const { return {&view_.port(number), number}; }

  static constexpr std::size_t cells = 4;
  struct alignas(cache_line) Cell {
    std::atomic<std::uint32_t> port{0};  // number + 1
  };

  std::shared_ptr<Member> member_;
  ObjectReference reference_;
  RingView view_;
  std::array<Cell, cells> cells_;  // ports at hand: a thread looks in its own cell first
  std::mutex spare_ports_mutex_;
  std::vector<std::uint32_t> spare_ports_;  // with room for all that we have claimed
  std::size_t claimed_ports_ = 0;
};

}  // namespace wyvern
