#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include <wyvern/core/file_descriptor.hpp>

namespace wyvern {

/// What the owner of a bell shares with those who ring it.
struct ShmBellMemory {
  std::uint64_t magic;
  std::uint64_t name;                ///< of the socket
  std::atomic<std::uint32_t> armed;  ///< 1: the owner sleeps, or is about to; whoever makes it 0 rings
};
static_assert(sizeof(ShmBellMemory) == 24);

/// Memory that is mapped as long as this is there.
struct UnmapShmBell {
  void operator()(ShmBellMemory* memory) const noexcept;
};
using MappedShmBell = std::unique_ptr<ShmBellMemory, UnmapShmBell>;

/// Wakes who sleeps on an endpoint of the provider shm, which has no descriptor for that: a word of shared
/// memory says that its owner sleeps, and a peer that has sent something and finds it set sends a datagram.
/// Nothing of it has a name in a file system. For the endpoint's thread.
///
/// No wake-up is lost while the sender lives: the owner sets the word and then looks for messages once more
/// before it sleeps, the sender makes the message visible and then looks at the word, with a sequentially
/// consistent fence between the two on both sides. A sender that is killed in between, or cannot reach the
/// word, rings nobody: the owner must not sleep for ever.
class ShmBell {
 public:
  /// Throws Error if the system has no descriptors or memory left.
  ShmBell();

  /// Readable when somebody has rung.
  int descriptor() const { return socket_.get(); }
  /// What peers find the memory by: a descriptor of this process.
  int memory_descriptor() const { return memory_file_.get(); }

  /// False: armed only now, look for messages once more. True: armed since before that look, and not rung.
  bool is_armed_or_arm();
  /// The owner is awake: nobody has to ring.
  void disarm() {
    if (memory_->armed.load(std::memory_order_relaxed) != 0)
      memory_->armed.store(0, std::memory_order_relaxed);  // late, it costs a datagram
  }

 private:
  FileDescriptor memory_file_;
  FileDescriptor socket_;
  MappedShmBell memory_;
};

/// What a peer rings a bell with.
class ShmBellRope {
 public:
  /// The bell of a process of this machine; without effect if it cannot be reached.
  ShmBellRope(pid_t process, int memory_descriptor);

  /// After something was made visible to the bell's owner. A system call if it sleeps.
  void ring_if_armed(const ShmBell& own) {
    if (memory_ == nullptr) return;
    // The message before, the word after: see ShmBell.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (memory_->armed.load(std::memory_order_relaxed) != 0) ring(own);
  }

 private:
  void ring(const ShmBell& own);

  MappedShmBell memory_;
};

}  // namespace wyvern
