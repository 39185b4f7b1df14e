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
  class Run;

  /// `expected`: how many messages will come, as far as known.
  PutBatch(LocalChannel& channel, std::size_t expected, const WaitLimit& limit);
  ~PutBatch() { wake_takers(); }
  PutBatch(const PutBatch&) = delete;
  PutBatch& operator=(const PutBatch&) = delete;

  /// Messages that went in; after the run.
  std::size_t count() const { return count_; }
  bool closed() const { return closed_; }
  [[noreturn]] void throw_closed() const { channel_.throw_closed("put"); }

 private:
  bool put_slowly(std::span<const std::byte> payload, std::span<const ObjectReference> handles);
  bool try_slowly(std::span<const std::byte> payload, std::span<const ObjectReference> handles);
  bool put_in_new_burst(std::span<const std::byte> payload);
  bool put_through_channel(std::span<const std::byte> payload, std::span<const ObjectReference> handles);
  void count(std::uint32_t done);
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

/// The puts of a batch: one of these for each, as a variable whose address nobody gets (see
/// ring::Burst::Run).
class PutBatch::Run {
 public:
  explicit Run(PutBatch& batch)
      : batch_(batch),
        channel_(batch.channel_),
        view_(channel_.view_),
        run_(batch.burst_.run(channel_.view_)) {}
  ~Run() { batch_.count(batch_.burst_.keep(run_)); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// False: no room in time, or closed; then nothing more goes in.
  [[gnu::always_inline]] bool put(std::span<const std::byte> payload,
                                  std::span<const ObjectReference> handles) {
    // The flag as in LocalChannel::closing.
    if (run_.is_over() || !handles.empty() || payload.size() > view_.inline_size() ||
        view_.header().closing.load(std::memory_order_seq_cst) != 0) [[unlikely]]
      return put_slowly(payload, handles);
    write_message(channel_.view_, run_.block(), payload, {});
    if (!run_.operate(batch_.burst_, channel_.view_)) [[unlikely]]
      return put_slowly(payload, handles);
    // How long it takes until another one comes, if any does, nobody knows.
    if (run_.is_over()) [[unlikely]]
      batch_.count(batch_.burst_.keep(run_));
    return true;
  }

 private:
  [[gnu::always_inline]] bool put_slowly(std::span<const std::byte> payload,
                                         std::span<const ObjectReference> handles) {
    batch_.count(batch_.burst_.keep(run_));
    run_ = {};  // in case of an exception
    const bool done = batch_.put_slowly(payload, handles);
    run_ = batch_.burst_.run(channel_.view_);
    return done;
  }

  PutBatch& batch_;
  LocalChannel& channel_;
  RingView view_;  // a copy: what is needed of it can be in registers, too
  ring::PutBurst::Run run_;
};

/// Gets one message after another: waits for the first, never for a further one. For one thread.
class TakeBatch {
 public:
  class Run;

  TakeBatch(LocalChannel& channel, std::size_t most, const WaitLimit& limit);
  ~TakeBatch() { finish(); }
  TakeBatch(const TakeBatch&) = delete;
  TakeBatch& operator=(const TakeBatch&) = delete;

  /// How many messages there may be, for whoever makes room for them.
  std::size_t expected() const;

  /// A message, or, if there is none, a null pointer: unlike an optional it is returned in registers.
  using Bytes = std::span<const std::byte>;

 private:
  Bytes received(BlockHeader& block) {
    ++count_;
    ++unwoken_;
    return hold(block);
  }
  Bytes hold(BlockHeader& block);
  Bytes next_slowly();
  Bytes take_in_burst();
  Bytes first();
  void count(std::uint32_t done);
  void release_message();
  void finish();

  LocalChannel& channel_;
  const WaitLimit& limit_;
  std::optional<HeldMessage> first_;
  std::optional<PortGuard> port_;
  bool holds_payload_ = false;  // the message in the block that `port_` holds
  std::size_t most_;
  std::size_t count_ = 0;
  std::uint32_t unwoken_ = 0;
  ring::TakeBurst burst_;
};

/// The gets of a batch: one of these for each, as a variable whose address nobody gets (see
/// ring::Burst::Run).
class TakeBatch::Run {
 public:
  explicit Run(TakeBatch& batch)
      : batch_(batch),
        channel_(batch.channel_),
        view_(channel_.view_),
        run_(batch.burst_.run(channel_.view_)) {}
  ~Run() { batch_.count(batch_.burst_.keep(run_)); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// The next message, readable until the next call; a null pointer: that was all. QueueClosed only for the
  /// first.
  [[gnu::always_inline]] Bytes next() {
    // What was given back comes first.
    if (run_.is_over() || may_be_given_back(view_) || !run_.operate(batch_.burst_, channel_.view_))
        [[unlikely]]
      return next_slowly();
    BlockHeader& block = run_.block();
    if (holds_payload(block)) [[unlikely]] {
      run_.end();  // so that the next call releases it
      return batch_.hold(block);
    }
    return {RingView::inline_payload(block), block.length};
  }

 private:
  [[gnu::always_inline]] Bytes next_slowly() {
    batch_.count(batch_.burst_.keep(run_));
    run_ = {};  // in case of an exception, or of a message that the next call is to release
    const Bytes message = batch_.next_slowly();
    if (!batch_.holds_payload_) run_ = batch_.burst_.run(channel_.view_);
    return message;
  }

  TakeBatch& batch_;
  LocalChannel& channel_;
  RingView view_;
  ring::TakeBurst::Run run_;
};

}  // namespace wyvern
