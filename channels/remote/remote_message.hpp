#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include <wyvern/channels/aligned_bytes.hpp>
#include <wyvern/channels/remote/loan_pool.hpp>
#include <wyvern/channels/ring_layout.hpp>

/// Messages of queues on other nodes, which are in memory of this process while they are built or read.
namespace wyvern {

class RemoteChannel;

/// A message that was taken: one that was got is gone when this is destroyed; one under a lease is given
/// back, unless it is done. Movable; for one thread at a time. In a plain fork it is the parent's.
class RemoteMessage {
 public:
  RemoteMessage(std::shared_ptr<RemoteChannel> channel, std::uint32_t operation, IntentKind kind,
                AlignedBytes bytes, std::uint32_t deliveries);
  RemoteMessage(RemoteMessage&& other) noexcept;
  RemoteMessage& operator=(RemoteMessage&& other) noexcept;
  ~RemoteMessage() { end(); }

  std::span<const std::byte> bytes() const { return bytes_.bytes(); }
  /// For a lease: how many deliveries of it were in vain.
  std::uint32_t delivery_count() const { return deliveries_; }
  /// Ends the lease: the message is dealt with. Throws LeaseLost, NodeLost.
  void done();

 private:
  friend class RemoteChannel;
  enum class Fate : std::uint8_t { received, given_back };
  void end() noexcept { end_as(kind_ == IntentKind::get ? Fate::received : Fate::given_back); }
  void end_as(Fate fate) noexcept;

  std::shared_ptr<RemoteChannel> channel_;  // null: it has ended
  std::uint32_t operation_ = 0;
  IntentKind kind_ = IntentKind::get;
  AlignedBytes bytes_;
  std::uint32_t deliveries_ = 0;
};

/// A message under construction. Movable; for one thread at a time. In a plain fork it is the parent's.
class RemoteLoan {
 public:
  /// `memory` is of `size` bytes or more.
  RemoteLoan(std::shared_ptr<RemoteChannel> channel, LoanMemory memory, std::size_t size);
  RemoteLoan(RemoteLoan&& other) noexcept;
  RemoteLoan& operator=(RemoteLoan&& other) noexcept;
  ~RemoteLoan();

  std::span<std::byte> bytes() const { return memory_.bytes.bytes().first(size_); }
  /// Whether it can be put there: false once it was put.
  bool belongs_to(const RemoteChannel& channel) const { return channel_.get() == &channel; }
  /// It is put; what was its memory.
  LoanMemory published() noexcept;

 private:
  friend class RemoteChannel;

  std::shared_ptr<RemoteChannel> channel_;  // null: it was put, or moved
  LoanMemory memory_;
  std::size_t size_ = 0;
};

}  // namespace wyvern
