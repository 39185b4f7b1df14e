#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/core/puid.hpp>
#include <wyvern/runtime/protocol/ticket.hpp>

namespace wyvern::launcher {

/// The connection of `wyvern join` to the agent of the node where its program becomes a process. Used by one
/// thread.
class JoinerLink {
 public:
  /// Connects to that socket. Throws NodeLost if nobody answers there; NotFound if it is
  /// another user's.
  explicit JoinerLink(const std::string& socket_name);

  /// What the program gets into its environment.
  const std::string& socket_name() const { return socket_name_; }

  struct Admission {
    Puid puid;
    control::Ticket ticket;
    FileDescriptor agent_pidfd;
  };
  /// Asks for a place among the job's processes. Throws NodeLost, VersionMismatch, SpawnFailed (the job
  /// ends), OutOfMemory.
  Admission join();
  /// The program runs: what the agent is to signal.
  void say_runs(pid_t program, const FileDescriptor& pidfd);
  /// It has ended, and was waited for.
  void say_ended(std::int32_t status);

 private:
  std::string socket_name_;
  FileDescriptor socket_;
};

}  // namespace wyvern::launcher
