#pragma once

#include <sys/resource.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <wyvern/channels/keeper.hpp>
#include <wyvern/runtime/agent/event_loop.hpp>
#include <wyvern/runtime/agent/job_process.hpp>
#include <wyvern/runtime/agent/output_forwarder.hpp>
#include <wyvern/runtime/agent/process_streams.hpp>
#include <wyvern/runtime/agent/spawner.hpp>
#include <wyvern/runtime/protocol/seqpacket.hpp>

namespace wyvern::agent {

/// What a launcher wants executed as the head of the job.
struct HeadCommand {
  std::string path;
  std::vector<std::string> arguments;
  int input = -1;   ///< its standard input
  pid_t group = 0;  ///< the process group of the terminal's foreground
};

/// The processes of the job on this node: starts them, takes in those that come by themselves, knows when
/// they have ended. Used by the agent's thread only; nothing here waits for a process.
class JobProcesses {
 public:
  struct Settings {
    std::string socket_name;  ///< of the agent, for the environment of what is started
    bool label = false;       ///< put the puid before every line of output
    rlimit descriptors = {};  ///< limit on open files of what is started
  };
  /// Called when a process has ended and that was published, just before it is forgotten.
  using OnEnded = std::function<void(const JobProcess& process, std::int32_t status)>;
  /// Called when a process was started and is among the awaited ones, before anybody learns of it.
  using OnStarted = std::function<void()>;
  /// Called when nothing is left that has that puid, nor will be, of processes that the homes of these nodes
  /// (see node_bit) may miss.
  using OnGone = std::function<void(Puid process, std::uint64_t homes)>;

  JobProcesses(
      EventLoop& loop, Keeper& keeper, OutputForwarder& forwarder, Settings settings, OnEnded ended,
      OnStarted started = [] {}, OnGone gone = [](Puid, std::uint64_t) {});

  /// The head's puid. The head attaches by itself, unless it is launched.
  JobProcess& add_head(std::uint64_t ticket_key);
  /// Takes its input, which is the head's alone from then on. Throws SpawnFailed.
  void launch(JobProcess& head, HeadCommand& command);
  struct Started {
    Puid puid;
    std::vector<FileDescriptor> piped;  ///< see ProcessStreams
  };
  /// Starts what the payload says; the executable and the working directory are for one that does not name
  /// them. Throws control::Malformed, SpawnFailed, OutOfMemory, QueueLost.
  Started start(Puid starter, FileDescriptor payload, const FileDescriptor& executable,
                const FileDescriptor& directory);
  /// Takes in a process that has connected with a ticket: as the ticket's process, or as a new one that stems
  /// from it. It has an index then. Throws NotAMember, OutOfMemory.
  JobProcess& attach(const control::Ticket& ticket, control::Peer&& peer);

  /// A process that somebody starts by hand, see control::Join: nobody has started it, and nobody waits for
  /// it at the end of the job. It has an index. Throws OutOfMemory.
  JobProcess& join();
  /// Its program runs. Throws control::Malformed if it does already or has ended, or if that is no pidfd;
  /// OutOfMemory.
  void joined_runs(JobProcess& process, pid_t program, FileDescriptor pidfd);
  /// Its program has ended; who started it has waited for that. Throws control::Malformed if it goes on.
  void joined_ended(JobProcess& process, std::int32_t status);
  /// Who started it has gone without a word: its program dies with that.
  void joiner_gone(Puid process);
  /// Publishes the ends of programs whose starters have had the time to say so and have not: they are
  /// stopped. To be called a few times a second.
  void settle_joined(EventLoop::Clock::time_point now);

  /// To be called after SIGCHLD: takes note of children that have ended.
  void reap_children();

  /// Nothing if the process has ended. InvalidArgument if it never was.
  void send_signal(Puid process, int signal);
  void detach(Puid process);
  /// To every process but the head, if that is spared, and to orphans of the job.
  void signal_all(int signal, bool spare_head);

  /// Null if it has ended.
  JobProcess* find(Puid process);
  /// How it ended; nothing: it has not. InvalidArgument if it never was.
  std::optional<std::int32_t> status_of(Puid process) const;
  /// Processes that were started, by that one or (none given) by any, and are neither detached nor ended.
  std::size_t awaited(Puid starter = {}) const;
  /// Whether any process is left, the head excepted if that is spared.
  bool any_left(bool spare_head) const;
  bool head_left() const { return processes_.contains(0); }

 private:
  JobProcess& add(Puid parent, std::uint64_t ticket_key);
  void spawn(JobProcess& process, SpawnPlan& plan, const std::vector<const char*>& environment,
             ProcessStreams& streams);
  void withdraw(JobProcess& process);
  bool may_end_children(bool spare_head) const;
  bool may_be(const JobProcess& process, pid_t peer) const;
  void child_ended(pid_t pid, std::int32_t status);
  void end_child(JobProcess& process, std::int32_t status);
  void joined_child_ended(Puid puid);
  void member_ended(std::uint32_t sequence);
  void list_child(JobProcess& process);
  void forget_member(JobProcess& process);
  void forget(const JobProcess& process);
  void publish_end(JobProcess& process, std::int32_t status);
  void signal(const JobProcess& process, int number) const;
  void check_was_started(Puid process) const;

  EventLoop& loop_;
  Keeper& keeper_;
  OutputForwarder& forwarder_;
  Settings settings_;
  OnEnded on_ended_;
  OnStarted on_started_;
  OnGone on_gone_;
  Spawner spawner_;
  std::uint32_t begun_ = 0;                        // sequences below this were given out
  std::map<std::uint32_t, JobProcess> processes_;  // by sequence
};

}  // namespace wyvern::agent
