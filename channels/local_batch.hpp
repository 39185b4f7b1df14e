#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <wyvern/channels/given_back.hpp>
#include <wyvern/channels/local_channel.hpp>
#include <wyvern/channels/payload.hpp>
#include <wyvern/channels/ring_burst.hpp>

namespace wyvern {

/// What the puts and the gets of a batch have in common. Their class is a variable whose address nobody gets
/// (see ring::Burst::Run).
template <class Batch, IntentKind kind>
class BatchRun {
 public:
  explicit BatchRun(Batch& batch)
      : batch_(batch),
        channel_(batch.channel_),
        view_(channel_.view()),
        run_(batch.burst_.run(channel_.view())) {}
  ~BatchRun() { keep(); }
  BatchRun(const BatchRun&) = delete;
  BatchRun& operator=(const BatchRun&) = delete;

 protected:
  /// The batch is told of what was done since it was told last.
  [[gnu::always_inline]] void keep() { batch_.add_run(batch_.burst_.keep(run_)); }
  /// The batch itself goes on; until `resume` there is no run, also in case of an exception.
  [[gnu::always_inline]] void suspend() {
    keep();
    run_ = {};
  }
  [[gnu::always_inline]] void resume() { run_ = batch_.burst_.run(channel_.view()); }

  Batch& batch_;
  LocalChannel& channel_;
  RingView view_;  // a copy: what is needed of it can be in registers, too
  typename ring::Burst<kind>::Run run_;
};

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

  /// So many are to come, or more.
  void expect(std::size_t messages) { to_come_ = std::max(to_come_, messages); }

  /// Messages that went in; after the run.
  std::size_t count() const { return count_; }
  bool closed() const { return closed_; }
  [[noreturn]] void throw_closed() const { channel_.throw_closed("put"); }

 private:
  friend class BatchRun<PutBatch, IntentKind::put>;
  bool put_slowly(std::span<const std::byte> payload, std::span<const ObjectReference> handles);
  bool try_slowly(std::span<const std::byte> payload, std::span<const ObjectReference> handles);
  bool put_in_new_burst(std::span<const std::byte> payload);
  bool put_through_channel(std::span<const std::byte> payload, std::span<const ObjectReference> handles);
  void add(std::uint32_t puts);
  void add_run(std::uint32_t puts);
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

/// The puts of a batch: one of these for each.
class PutBatch::Run : BatchRun<PutBatch, IntentKind::put> {
 public:
  using BatchRun::BatchRun;

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
      keep();
    return true;
  }

 private:
  [[gnu::always_inline]] bool put_slowly(std::span<const std::byte> payload,
                                         std::span<const ObjectReference> handles) {
    suspend();
    const bool done = batch_.put_slowly(payload, handles);
    resume();
    return done;
  }
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
  friend class BatchRun<TakeBatch, IntentKind::get>;
  Bytes received(BlockHeader& block) {
    ++count_;
    ++unwoken_;
    return hold(block);
  }
  Bytes hold(BlockHeader& block);
  Bytes next_slowly();
  Bytes take_in_burst();
  Bytes first();
  void add_run(std::uint32_t gets);
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

/// The gets of a batch: one of these for each.
class TakeBatch::Run : BatchRun<TakeBatch, IntentKind::get> {
 public:
  using BatchRun::BatchRun;

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
    suspend();
    const Bytes message = batch_.next_slowly();
    if (!batch_.holds_payload_) resume();  // else the next call is to release it
    return message;
  }
};

}  // namespace wyvern
