#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>

#include <wyvern/core/object_reference.hpp>
#include <wyvern/core/wait_limit.hpp>

namespace wyvern {

class RemoteChannel;

/// Puts one message after another into a queue of another node. Each is answered, some are on their way
/// before the answers of those before them, and small ones travel together; without waiting at all, one at a
/// time. For one thread. The channel outlives it, and so does the limit.
class RemotePutBatch {
 public:
  RemotePutBatch(RemoteChannel& channel, const WaitLimit& limit);
  /// Waits for what has no answer yet.
  ~RemotePutBatch();
  RemotePutBatch(const RemotePutBatch&) = delete;
  RemotePutBatch& operator=(const RemotePutBatch&) = delete;

  /// False: there was no room in time, or the queue is closed; then nothing more goes in. Throws what a put
  /// throws, also of one before, but for QueueClosed.
  bool put(std::span<const std::byte> payload, std::span<const ObjectReference> handles);
  /// After the puts: how many went in. QueueClosed if none did because the queue is closed.
  std::size_t finish();

 private:
  bool put_ahead(std::span<const std::byte> payload, std::span<const ObjectReference> handles);
  bool put_alone(std::span<const std::byte> payload, std::span<const ObjectReference> handles);
  void wait_for_answers(std::unique_lock<std::mutex>& lock, std::size_t most_left);
  void collect();
  void check_refusal();
  void throw_if_cut_short() const;

  RemoteChannel& channel_;
  const WaitLimit& limit_;
  struct Answers;
  std::unique_ptr<Answers> answers_;
  std::size_t count_ = 0;
  bool is_over_ = false;
  bool closed_ = false;
};

}  // namespace wyvern
