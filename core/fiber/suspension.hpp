#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include <wyvern/core/deadline.hpp>
#include <wyvern/core/fiber/completions.hpp>
#include <wyvern/core/member.hpp>

namespace wyvern::detail {

class FiberControl;

/// Where somebody waits for what another part of this process will tell: a fiber is suspended, a thread
/// without fibers sleeps. Everything is done under one lock, also what is waited for.
class Suspension {
 public:
  /// The caller's, who uses it alone but for `wake`. A fiber waits as that process, for one of these
  /// completions; without a member the thread sleeps in any case. Throws OutOfMemory; InvalidArgument if
  /// other fibers of the thread wait for other completions.
  Suspension(const std::shared_ptr<Member>& member, Completions& completions);
  ~Suspension();
  Suspension(const Suspension&) = delete;
  Suspension& operator=(const Suspension&) = delete;

  bool is_of_fiber() const { return fiber_ != nullptr; }
  /// The fiber's thread ends.
  bool must_end() const;
  /// Gives the lock away until somebody calls `wake`, or the deadline. May return early.
  void sleep(std::unique_lock<std::mutex>& lock, Deadline deadline);
  void wake();

 private:
  FiberControl* fiber_ = nullptr;  // null: a thread
  std::condition_variable woken_;
};

}  // namespace wyvern::detail
