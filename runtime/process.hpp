#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <wyvern/core/deadline.hpp>
#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/core/function/entry_point.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/puid.hpp>
#include <wyvern/runtime/process_options.hpp>

namespace wyvern {

/// A process of the job: the same program, running one function, or another program. Made by
/// Runtime::process, which has encoded the function's arguments already, or Runtime::program; it runs from
/// `start`. The destructor joins, as that of std::jthread does, unless the process was not started or was
/// detached; it never throws. What throws InvalidArgument below does so before `start`.
///
/// An exit status is 0..255, or minus the number of the signal that ended the process. One object is not for
/// several threads at once; different objects are. Any process of the job can join this one by its puid, see
/// process_wait.hpp.
class Process {
 public:
  Process(Process&&) noexcept;
  /// What this was is joined first, as by the destructor.
  Process& operator=(Process&&) noexcept;
  ~Process();

  /// Starts it; returns when it executes. Throws SpawnFailed, which names what is not there or refused, on
  /// whichever node that is; NodeLost; InvalidArgument the second time. After SpawnFailed it can be tried
  /// again.
  void start();

  /// Waits until it has ended, and everything it printed was forwarded. As often as you like. Input that is
  /// piped ends before, unless it was taken; who does not read output that is piped waits for ever for a
  /// process that prints more than a pipe holds, 64 KiB.
  int join();
  /// The same, for so long; nothing: it has not ended in time.
  template <class Rep, class Period>
  std::optional<int> try_join_for(std::chrono::duration<Rep, Period> duration) {
    return try_join(Deadline::after(duration));
  }

  /// False before `start` and after the end.
  bool is_alive() const;
  /// Sends SIGTERM, SIGKILL, or any signal to it and to the processes in its process group. No effect after
  /// its end. What has left its group, as a daemon does, is not reached; it ends with the job.
  void terminate();
  void kill();
  void send_signal(int signal);
  /// Nobody waits for it: neither the destructor, nor the job at its end, which then ends the process.
  void detach();

  /// Our end of a standard stream that is piped: of input the writing one, of output and error the reading
  /// ones. A descriptor that blocks, is closed on exec, and is yours. Invalid if that stream is not piped,
  /// was taken before, or the process was not started. What is not taken is closed by the destructor, before
  /// it joins. As with any pipe, who writes when nobody reads any more gets SIGPIPE.
  FileDescriptor take_input() { return std::move(input_); }
  FileDescriptor take_output() { return std::move(output_); }
  FileDescriptor take_error() { return std::move(error_); }

  /// From `start` on.
  Puid puid() const;
  /// That of the options, or of the program's file.
  std::string name() const;
  /// Where it runs; before `start`, where it was asked to: 0, if that is open.
  std::uint32_t node() const { return puid_ ? puid_.node() : options_.node; }

 private:
  friend class Runtime;
  /// `arguments` keeps alive what the encoded arguments refer to, until the process holds it itself.
  Process(std::shared_ptr<Member> member, ProcessOptions options, EncodedEntry entry,
          std::shared_ptr<void> arguments);
  /// Another program, and its arguments from its name on.
  Process(std::shared_ptr<Member> member, ProcessOptions options, std::vector<std::string> program);

  std::optional<int> try_join(Deadline deadline);
  void take_pipes(std::vector<FileDescriptor> piped);
  void finish() noexcept;
  void check_started() const;

  std::shared_ptr<Member> member_;  // none: moved from
  ProcessOptions options_;
  EncodedEntry entry_;
  std::shared_ptr<void> arguments_;
  std::vector<std::string> program_;  // empty: this one, on entry_
  Puid puid_;
  bool detached_ = false;
  FileDescriptor input_;  // our ends of what is piped
  FileDescriptor output_;
  FileDescriptor error_;
};

}  // namespace wyvern
