#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>

namespace wyvern::test {

/// A forked process that plays a member of a LocalNode. It ends with the test at the latest. Make it on a
/// thread that outlives it: the kernel ends children with the thread that made them.
class Child {
 public:
  /// Runs `work` in the child; its return value is the exit status. What `work` throws is printed, status 99.
  explicit Child(const std::function<int()>& work);
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  /// Kills it if it still runs.
  ~Child();

  void send(int signal);
  /// Waits for its end; 0..255 or minus the signal.
  int wait();
  /// Its exit status if it has ended.
  std::optional<int> poll();
  /// Waits until a signal stops it: which one; nothing if it has ended.
  std::optional<int> wait_until_stopped();
  /// Whether a signal has stopped it and nothing was sent to it since.
  bool stopped();
  /// Whether all its threads sleep in the kernel.
  bool sleeps() const;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
  bool stopped_ = false;
};

}  // namespace wyvern::test
