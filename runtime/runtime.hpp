#pragma once

#include <chrono>
#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <wyvern/channels/channel.hpp>
#include <wyvern/channels/queue.hpp>
#include <wyvern/core/deadline.hpp>
#include <wyvern/core/function/entry_point.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/puid.hpp>
#include <wyvern/runtime/process.hpp>

namespace wyvern {

/// What a member of a job can make: queues and processes. A small value; copies do the same, from any thread.
/// Every call throws NotAMember in a plain fork of the member, and NodeLost when the node's agent has gone.
class Runtime {
 public:
  explicit Runtime(std::shared_ptr<Member> member) : member_(std::move(member)) {}

  /// A new queue. Throws InvalidArgument (options out of range, a name that is taken), OutOfMemory.
  template <class T>
  Queue<T> make_queue(const QueueOptions& options = {}) const {
    prepare_name(options);
    Queue<T> queue(member_, options);
    claim_name(options, queue.channel().reference());
    return queue;
  }
  /// The queue of that name; waits until there is one. Throws TypeMismatch if its messages are no T.
  template <class T>
  Queue<T> open_queue(const std::string& name) const {
    return *open_until<T>(name, Deadline::never());
  }
  /// The same, for so long; nothing: there is none of that name in time.
  template <class T, class Rep, class Period>
  std::optional<Queue<T>> try_open_queue_for(std::chrono::duration<Rep, Period> duration,
                                             const std::string& name) const {
    return open_until<T>(name, Deadline::after(duration));
  }
  /// A new channel, a queue of byte strings; throws what make_queue does.
  Channel make_channel(const QueueOptions& options = {}) const;

  /// A process that will call `function(args...)`, which returns void (status 0) or its exit status as int.
  /// The function is a plain one or a lambda without captures. The arguments are encoded now; handles to
  /// queues may be among them. Throws what their codecs throw.
  template <class F, class... Args>
    requires(!std::is_same_v<std::remove_cvref_t<F>, ProcessOptions>)
  Process process(F&& function, Args&&... args) const {
    return process(ProcessOptions(), std::forward<F>(function), std::forward<Args>(args)...);
  }
  /// The same with options. InvalidArgument: no process can be started so; the message says why.
  template <class F, class... Args>
  Process process(const ProcessOptions& options, F&& function, Args&&... args) const {
    check_options(options);
    EncodedEntry entry = make_entry(function, args...);
    std::shared_ptr<void> kept;
    if (!entry.references.empty()) {
      kept = std::make_shared<std::tuple<std::decay_t<Args>...>>(std::forward<Args>(args)...);
    }
    return Process(member_, options, std::move(entry), std::move(kept));
  }

  /// A process that will execute another program, whose arguments are texts. It is found as a shell finds it,
  /// in the folders of PATH unless its path has a slash; a relative path is relative to the working directory
  /// of who starts it. If it calls wyvern::run, it is a member of the job, and what that was given runs in
  /// it; if not, it can be joined and signalled all the same. Throws InvalidArgument.
  template <class Path, class... Args>
    requires(std::convertible_to<const Path&, std::string>)
  Process program(const Path& path, const Args&... args) const {
    return start_of_program(ProcessOptions(), {path, std::string(args)...});
  }
  template <class... Args>
  Process program(const ProcessOptions& options, const std::string& path, const Args&... args) const {
    return start_of_program(options, {path, std::string(args)...});
  }

  /// Of the calling process.
  Puid puid() const {
    Member::check_not_forked();
    return member_->puid();
  }
  /// The node of the calling process, and how many there are in the job; they count from 1.
  std::uint32_t node() const { return member_->segment().header().node; }
  std::uint32_t nodes() const { return member_->segment().header().nodes; }

 private:
  template <class T>
  std::optional<Queue<T>> open_until(const std::string& name, Deadline deadline) const {
    while (const auto found = find_object(name, deadline)) {
      try {
        return Queue<T>(member_, *found);
      } catch (const QueueLost&) {
        // Its last holder let it go just after it was found: another of that name may come.
        forget_name(name, *found);
      } catch (const NodeLost&) {
        if (found->id.node() == node()) throw;
        forget_name(name, *found);  // its home has gone
      }
    }
    return std::nullopt;
  }
  std::optional<ObjectReference> find_object(const std::string& name, Deadline deadline) const;
  void forget_name(const std::string& name, const ObjectReference& reference) const;
  void prepare_name(const QueueOptions& options) const;
  void claim_name(const QueueOptions& options, const ObjectReference& reference) const;
  void check_options(const ProcessOptions& options) const;
  Process start_of_program(const ProcessOptions& options, std::vector<std::string> arguments) const;

  std::shared_ptr<Member> member_;
};

}  // namespace wyvern
