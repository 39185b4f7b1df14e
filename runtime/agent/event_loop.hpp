#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include <wyvern/core/event_descriptor.hpp>
#include <wyvern/core/file_descriptor.hpp>

namespace wyvern::agent {

/// Waits for many descriptors in one thread and calls back; all but `post` is that thread's. Who does not
/// take what is there is called again (unless it asks for EPOLLET). Callbacks may make and drop any Watch,
/// their own included. Must outlive its watches.
class EventLoop {
 public:
  using Clock = std::chrono::steady_clock;
  /// Gets the epoll events that have come.
  using Callback = std::function<void(std::uint32_t events)>;

  /// One descriptor that is watched; ends with the object. Must end before the descriptor is closed.
  class Watch {
   public:
    Watch() = default;
    Watch(Watch&& other) noexcept;
    Watch& operator=(Watch&& other) noexcept;
    ~Watch() { reset(); }

    explicit operator bool() const { return loop_ != nullptr; }
    void reset();

   private:
    friend class EventLoop;
    Watch(EventLoop* loop, int fd, std::uint64_t id) : loop_(loop), fd_(fd), id_(id) {}

    EventLoop* loop_ = nullptr;
    int fd_ = -1;
    std::uint64_t id_ = 0;
  };

  EventLoop();

  /// Throws OutOfMemory if the kernel refuses, as it does for regular files.
  [[nodiscard]] Watch watch(int fd, std::uint32_t events, Callback callback);

  /// Calls that from the loop's thread, soon, unless the loop ends before. From any thread.
  void post(std::function<void()> task);

  /// Sleeps until something happens, at most until `limit`, and calls back for what has happened.
  void run_once(std::optional<Clock::time_point> limit);

 private:
  void run_posted();

  FileDescriptor epoll_;
  std::uint64_t next_id_ = 1;
  // By a number that is never used again: events of a watch that another callback has just dropped are
  // recognised.
  std::unordered_map<std::uint64_t, std::shared_ptr<Callback>> callbacks_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  EventDescriptor has_posted_;
  Watch posted_watch_;
};

}  // namespace wyvern::agent
