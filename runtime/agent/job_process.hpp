#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/core/puid.hpp>
#include <wyvern/runtime/agent/event_loop.hpp>
#include <wyvern/runtime/protocol/ticket.hpp>

namespace wyvern::agent {

/// Of a process that is not our child and did not say how it ends: the kernel does not tell us.
constexpr std::int32_t unknown_status = 255;

/// One puid of the job, from its start to its end. Two processes of the operating system can stand behind it:
/// the *child* that the agent, or `wyvern join`, made, and the *member* that has attached. They are the same
/// for a process that was started by `Process::start`. A head that was run directly has no child; under
/// `wyvern run -- sh -c
/// './a; ./b'` the child is the shell, and first a and then b is the member.
struct JobProcess {
  Puid puid;
  Puid parent;
  control::Ticket ticket;

  pid_t child = 0;
  bool joined = false;           ///< it was started by hand, and who did that says how the child ends
  FileDescriptor child_pidfd;    ///< of one that joined, once it runs
  EventLoop::Watch child_death;  ///< the same
  bool joiner_gone = false;      ///< who started it says nothing any more
  /// When the child of one that joined has ended, if who started it has not said so yet.
  std::optional<EventLoop::Clock::time_point> child_ended;
  bool leads_group = false;  ///< the child has a process group of its own
  bool detached = false;
  FileDescriptor payload;  ///< what it was started for; none: what it likes

  /// Its entry in the segment's process table, from its start, or from a member's attachment, to that one's
  /// death.
  std::optional<std::uint32_t> index;
  pid_t member = 0;
  // Of a member that is not the child: the kernel tells us nothing of its end otherwise.
  FileDescriptor member_pidfd;
  EventLoop::Watch member_death;

  /// Nodes whose homes may know a member that has ended, see ProcessEntry.
  std::uint64_t homes = 0;

  bool is_ready = false;                  ///< the member holds what its arguments name
  std::optional<std::int32_t> left_with;  ///< the status that the member said it would end with
  bool ended = false;                     ///< the exit record is written; the member lives on

  std::uint32_t sequence() const { return puid.sequence(); }
  bool is_head() const { return puid.sequence() == 0; }
};

}  // namespace wyvern::agent
