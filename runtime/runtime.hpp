#pragma once

#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include <wyvern/core/function/entry_point.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/puid.hpp>
#include <wyvern/runtime/process.hpp>

namespace wyvern {

/// What a member of a job can make: queues and processes. A small value; any number of copies, from any thread.
class Runtime {
 public:
  explicit Runtime(std::shared_ptr<Member> member) : member_(std::move(member)) {}

  /// A process that will call `function(args...)`, which returns void (status 0) or its exit status as int. The
  /// function is a plain one or a lambda without captures; the arguments are encoded now, and copied to the process when
  /// it starts; handles to queues may be among them. Throws what their codecs throw.
  template <class F, class... Args>
  Process process(F&& function, Args&&... args) {
    Member::check_not_forked();
    EncodedEntry entry = make_entry(function, args...);
    std::shared_ptr<void> kept;
    if (!entry.references.empty()) kept = std::make_shared<std::tuple<std::decay_t<Args>...>>(std::forward<Args>(args)...);
    return Process(member_, std::move(entry), std::move(kept));
  }

  /// Of the calling process.
  Puid puid() const { return member_->puid(); }

 private:
  std::shared_ptr<Member> member_;
};

}  // namespace wyvern
