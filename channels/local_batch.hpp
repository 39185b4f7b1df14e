#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <wyvern/channels/given_back.hpp>
#include <wyvern/channels/local_channel.hpp>
#include <wyvern/channels/payload.hpp>
#include <wyvern/channels/ring_burst.hpp>

namespace wyvern {

/// Puts one message after another; each is in the queue when its put returns. What a batch shares is the
/// port, the deadline, the looking up and fetching of places, and, as long as more messages are expected, the
/// look for sleepers. Ends, and wakes whom it has to, when destroyed. For one thread.
class PutBatch {
 public:
  /// `expected`: how many messages will come, as far as known.
  PutBatch(LocalChannel& channel, std::size_t expected, const WaitLimit& limit);
  ~PutBatch() { wake_takers(); }
  PutBatch(const PutBatch&) = delete;
  PutBatch& operator=(const PutBatch&) = delete;

  /// False: no room in time, or closed; then nothing more goes in.
  [[gnu::always_inline]] bool put(std::span<const std::byte> payload,
                                  std::span<const ObjectReference> handles) {
    const bool done = put_in_burst(payload, handles) || put_slowly(payload, handles);
    if (to_come_ != 0) --to_come_;
    count_ += done;
    // How long it takes until another one comes, if any does, nobody knows.
    if (to_come_ == 0) wake_takers();
    return done;
  }
  /// Messages that went in.
  std::size_t count() const { return count_; }
  bool closed() const { return closed_; }
  [[noreturn]] void throw_closed() const { channel_.throw_closed("put"); }

 private:
  [[gnu::always_inline]] bool put_in_burst(std::span<const std::byte> payload,
                                           std::span<const ObjectReference> handles) {
    const RingView& view = channel_.view_;
    if (burst_.is_over() || !handles.empty() || payload.size() > view.inline_size() || channel_.closing())
        [[unlikely]]
      return false;
    write_message(view, burst_.block(), payload, {});
    if (!burst_.operate(view)) [[unlikely]]
      return false;
    ++unwoken_;
    return true;
  }
  bool put_slowly(std::span<const std::byte> payload, std::span<const ObjectReference> handles);
  bool put_through_channel(std::span<const std::byte> payload, std::span<const ObjectReference> handles);
  void linger() const;
  void wake_takers();

  LocalChannel& channel_;
  const WaitLimit& limit_;
  std::optional<PortGuard> port_;
  std::size_t to_come_;
  std::size_t count_ = 0;
  std::uint32_t unwoken_ = 0;  // put since takers were last woken
  bool closed_ = false;
  ring::PutBurst burst_;
};

/// Gets one message after another: waits for the first, never for a further one. For one thread.
class TakeBatch {
 public:
  TakeBatch(LocalChannel& channel, std::size_t most, const WaitLimit& limit);
  ~TakeBatch() { finish(); }
  TakeBatch(const TakeBatch&) = delete;
  TakeBatch& operator=(const TakeBatch&) = delete;

  /// The next message, readable until the next call; nothing: that was all. QueueClosed only for the first.
  [[gnu::always_inline]] std::optional<std::span<const std::byte>> next() {
    if (count_ == most_) return std::nullopt;
    release_message();
    const RingView& view = channel_.view_;
    // What was given back comes first.
    if (burst_.is_over() || may_be_given_back(view) || !burst_.operate(view)) [[unlikely]]
      return next_slowly();
    return received(burst_.block());
  }
  /// How many messages there may be, for whoever makes room for them.
  std::size_t expected() const;

 private:
  std::span<const std::byte> received(BlockHeader& block) {
    ++count_;
    ++unwoken_;
    held_ = &block;
    return {payload_memory(channel_.view_, block), block.length};
  }
  /// Of the message before.
  void release_message() {
    if (held_ != nullptr && holds_payload(*held_)) [[unlikely]]
      release_payload(channel_.view_, (*port_)->spare().block());
    held_ = nullptr;
  }
  std::optional<std::span<const std::byte>> next_slowly();
  std::optional<std::span<const std::byte>> first();
  void finish();

  LocalChannel& channel_;
  const WaitLimit& limit_;
  std::optional<HeldMessage> first_;
  std::optional<PortGuard> port_;
  BlockHeader* held_ = nullptr;  // the message that `port_` holds
  std::size_t most_;
  std::size_t count_ = 0;
  std::uint32_t unwoken_ = 0;
  ring::TakeBurst burst_;
};

}  // namespace wyvern
