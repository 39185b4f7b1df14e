#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

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
    return Queue<T>(member_, options);
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
  Process process(F&& function, Args&&... args) const {
    Member::check_not_forked();
    EncodedEntry entry = make_entry(function, args...);
    std::shared_ptr<void> kept;
    if (!entry.references.empty()) {
      kept = std::make_shared<std::tuple<std::decay_t<Args>...>>(std::forward<Args>(args)...);
    }
    return Process(member_, std::move(entry), std::move(kept));
  }

  /// Of the calling process.
  Puid puid() const {
    Member::check_not_forked();
    return member_->puid();
  }

 private:
  template <class T>
  std::optional<Queue<T>> open_until(const std::string& name, Deadline deadline) const {
    while (const auto found = find_object(name, deadline)) {
      try {
        return Queue<T>(member_, *found);
      } catch (const QueueLost&) {
        // Its last holder let it go just after it was found: another of that name may come.
      }
    }
    return std::nullopt;
  }
  std::optional<ObjectReference> find_object(const std::string& name, Deadline deadline) const;

  std::shared_ptr<Member> member_;
};

}  // namespace wyvern
