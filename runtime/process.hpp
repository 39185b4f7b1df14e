#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include <wyvern/core/deadline.hpp>
#include <wyvern/core/function/entry_point.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/puid.hpp>

namespace wyvern {

struct ProcessOptions {
  /// Where it runs, from 1 on; 0: the processes that one starts go over all nodes of the job, one after
  /// another, beginning with its own.
  std::uint32_t node = 0;
};

/// A process of the job: the same program, running one function. Made by Runtime::process, which has encoded
/// the function's arguments already; it runs from `start`. The destructor joins, as that of std::jthread
/// does, unless the process was not started or was detached; it never throws. What throws InvalidArgument
/// below does so before `start`.
///
/// An exit status is 0..255, or minus the number of the signal that ended the process. One object is not for
/// several threads at once; different objects are.
class Process {
 public:
  Process(Process&&) noexcept;
  /// What this was is joined first, as by the destructor.
  Process& operator=(Process&&) noexcept;
  ~Process();

  /// Starts it; returns when it executes. Throws SpawnFailed with the reason, NodeLost, InvalidArgument the
  /// second time.
  void start();

  /// Waits until it has ended, and everything it printed was forwarded. As often as you like.
  int join();
  /// The same, for so long; nothing: it has not ended in time.
  template <class Rep, class Period>
  std::optional<int> try_join_for(std::chrono::duration<Rep, Period> duration) {
    return try_join(Deadline::after(duration));
  }

  /// False before `start` and after the end.
  bool is_alive() const;
  /// Sends SIGTERM, SIGKILL, or any signal to it and to the processes in its process group. No effect after
  /// its end.
  void terminate();
  void kill();
  void send_signal(int signal);
  /// Nobody waits for it: neither the destructor, nor the job at its end, which then ends the process.
  void detach();

  /// From `start` on.
  Puid puid() const;

 private:
  friend class Runtime;
  /// `arguments` keeps alive what the encoded arguments refer to, until the process holds it itself.
  Process(std::shared_ptr<Member> member, const ProcessOptions& options, EncodedEntry entry,
          std::shared_ptr<void> arguments);

  std::optional<int> try_join(Deadline deadline);
  void finish() noexcept;
  void check_started() const;

  std::shared_ptr<Member> member_;  // none: moved from
  ProcessOptions options_;
  EncodedEntry entry_;
  std::shared_ptr<void> arguments_;
  Puid puid_;
  bool detached_ = false;
};

/// Waits for any process of the job; its exit status. Throws InvalidArgument if there never was such a
/// process, or if it is the calling one, and NotAMember outside of a job.
int join(Puid process);

}  // namespace wyvern
