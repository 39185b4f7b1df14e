#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <wyvern/channels/local_channel.hpp>

namespace wyvern {

/// Puts one message after another; each is in the queue when its put returns. What a batch shares is the
/// port, the deadline, the fetching of lines ahead, and, as long as more messages are expected, the look for
/// sleepers. Ends, and wakes whom it has to, when destroyed. For one thread.
class PutBatch {
 public:
  /// `expected`: how many messages will come, as far as known.
  PutBatch(LocalChannel& channel, std::size_t expected, const WaitLimit& limit);
  ~PutBatch() { wake_takers(); }
  PutBatch(const PutBatch&) = delete;
  PutBatch& operator=(const PutBatch&) = delete;

  /// False: no room in time, or closed; then nothing more goes in.
  bool put(std::span<const std::byte> payload, std::span<const ObjectReference> handles);
  /// Messages that went in.
  std::size_t count() const { return count_; }
  bool closed() const { return closed_; }
  [[noreturn]] void throw_closed() const { channel_.throw_closed("put"); }

 private:
  bool put_small(std::span<const std::byte> payload, std::span<const ObjectReference> handles);
  bool put_through_channel(std::span<const std::byte> payload, std::span<const ObjectReference> handles);
  void wake_takers();

  LocalChannel& channel_;
  const WaitLimit& limit_;
  std::optional<PortGuard> port_;
  std::size_t to_come_;
  std::size_t count_ = 0;
  std::uint32_t unwoken_ = 0;  // put since takers were last woken
  std::uint32_t fetched_ = 0;  // puts whose lines are on their way
  bool closed_ = false;
};

/// Gets one message after another: waits for the first, never for a further one. For one thread.
class TakeBatch {
 public:
  TakeBatch(LocalChannel& channel, std::size_t most, const WaitLimit& limit);
  ~TakeBatch() { finish(); }
  TakeBatch(const TakeBatch&) = delete;
  TakeBatch& operator=(const TakeBatch&) = delete;

  /// The next message, readable until the next call; nothing: that was all. QueueClosed only for the first.
  std::optional<std::span<const std::byte>> next();
  /// How many messages there may be, for whoever makes room for them.
  std::size_t expected() const;

 private:
  std::optional<std::span<const std::byte>> first();
  void finish();

  LocalChannel& channel_;
  const WaitLimit& limit_;
  std::optional<HeldMessage> first_;
  std::optional<PortGuard> port_;
  std::size_t most_;
  std::size_t count_ = 0;
  std::uint32_t unwoken_ = 0;
  std::uint32_t fetched_ = 0;
  bool holds_message_ = false;
};

}  // namespace wyvern
