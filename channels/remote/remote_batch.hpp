#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>

#include <wyvern/core/object_reference.hpp>
#include <wyvern/core/wait_limit.hpp>

namespace wyvern {

class RemoteChannel;

/// Puts one message after another into a queue of another node. Small ones travel together, in runs: those
/// that are said before anything else is, or is sent. A run has one answer, which says how many of it went
/// in. As many messages may have none yet as single puts may be ahead of theirs; of a batch that waits for
/// nothing one run. For one thread. The channel outlives it, and so does the limit.
///
/// What goes in is a beginning of what is put, unless that ends with an exception: a home puts the runs one
/// behind the other, and withdraws the last one first.
class RemotePutBatch {
 public:
  RemotePutBatch(RemoteChannel& channel, const WaitLimit& limit);
  /// Waits for what has no answer yet.
  ~RemotePutBatch();
  RemotePutBatch(const RemotePutBatch&) = delete;
  RemotePutBatch& operator=(const RemotePutBatch&) = delete;

  /// False: there was no room in time, or the queue is closed; then nothing more goes in. Throws what a put
  /// throws, also of one before; QueueClosed only if that turned back what was put before the batch.
  bool put(std::span<const std::byte> payload, std::span<const ObjectReference> handles);
  /// After the puts: how many went in. QueueClosed if none did because the queue is closed.
  std::size_t finish();

 private:
  using Lock = std::unique_lock<std::mutex>;
  struct Runs;

  bool may_put(std::size_t bytes) const;
  bool is_open(std::size_t bytes) const;
  void add_to_run(std::span<const std::byte> payload);
  void add_with_handles(std::span<const std::byte> payload, std::span<const ObjectReference> handles);
  bool put_alone(std::span<const std::byte> payload, std::span<const ObjectReference> handles);
  void wait_for_answers(Lock& lock);
  void collect();
  void check();

  RemoteChannel& channel_;
  const WaitLimit& limit_;
  std::unique_ptr<Runs> runs_;
  std::size_t count_ = 0;  // that went in
  bool is_over_ = false;
  bool closed_ = false;
};

}  // namespace wyvern
