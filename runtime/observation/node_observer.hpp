#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <wyvern/channels/observed_channel.hpp>
#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/core/observed_segment.hpp>
#include <wyvern/core/puid.hpp>

namespace wyvern::observation {

struct ProcessFigures {
  Puid puid;
  pid_t pid = 0;      ///< of the operating system; 0: it is about to be started
  std::string name;   ///< at most 15 characters of it; empty: it cannot be seen
  std::string state;  ///< a word of those that state_word() has
};

/// One node at a moment.
struct NodeFigures {
  std::uint32_t node = 0;
  pid_t agent = 0;
  std::uint64_t memory = 0;               ///< bytes that are committed
  std::uint64_t memory_ceiling = 0;       ///< bytes that may be
  std::vector<ProcessFigures> processes;  ///< that live
  std::vector<ChannelFigures> queues;     ///< that it is the home of
};

/// What a process does, from what /proc/PID/stat has for it: "running", "sleeping", "stopped", ...
std::string state_word(char state);

/// A node of this machine, for who only looks at it: its agent is not asked and may be stopped. Used by one
/// thread.
class NodeObserver {
 public:
  /// Of the agent with that pid; null if it has ended, or has no segment (yet) that it has made itself, and
  /// so is no agent. Waits a little for a segment that is just being made. Throws VersionMismatch if its
  /// segment is of another version, or damaged; NotFound if it may not be opened.
  static std::unique_ptr<NodeObserver> of_agent(pid_t agent);

  const ObservedSegment& segment() const { return segment_; }
  pid_t agent() const { return agent_; }
  /// Tells jobs of the same number apart that were begun in different containers.
  std::uint64_t pid_namespace() const { return pid_namespace_; }
  bool has_ended() const;
  NodeFigures observe() const;
  /// The name of the job's first process; empty if it is not here, or cannot be seen.
  std::string head_name() const;

 private:
  NodeObserver(pid_t agent, FileDescriptor pidfd, FileDescriptor segment);
  ProcessFigures observe_process(Puid puid, pid_t pid) const;

  pid_t agent_;
  FileDescriptor pidfd_;
  ObservedSegment segment_;
  std::uint64_t pid_namespace_ = 0;
  bool knows_pids_;  // they are of the namespace that this process is in
};

}  // namespace wyvern::observation
