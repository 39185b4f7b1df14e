#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>
#include <string>

#include <wyvern/core/file_descriptor.hpp>

namespace wyvern {

/// The process behind a peer of the provider shm, which its name tells: on this machine, in this process id
/// namespace.
class ShmPeer {
 public:
  /// `name`: as fi_getname says it. Another form of name is a process that never ends.
  explicit ShmPeer(std::span<const std::byte> name);

  /// 0: the name says nothing.
  pid_t process() const { return process_id_; }
  /// A system call.
  bool has_ended() const noexcept;
  /// By a signal or a debugger. Three system calls.
  bool is_stopped() const;
  /// An endpoint has 16 MiB in a file in /dev/shm, which stays when its process is killed: removes it if the
  /// process has ended, and says whether it did.
  bool remove_leftover() const noexcept;

 private:
  std::string file_;  // empty: the name says nothing
  pid_t process_id_ = 0;
  FileDescriptor process_;
  bool had_ended_ = false;  // before the descriptor could be had
};

}  // namespace wyvern
