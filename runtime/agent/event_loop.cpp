#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/agent/event_loop.hpp>

namespace wyvern::agent {
namespace {

constexpr int events_at_once = 64;

int timeout_until(std::optional<EventLoop::Clock::time_point> limit) {
  if (!limit) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*limit - EventLoop::Clock::now());
  return static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, 1 << 30));
}

}  // namespace

EventLoop::Watch::Watch(Watch&& other) noexcept
    : loop_(std::exchange(other.loop_, nullptr)), fd_(other.fd_), id_(other.id_) {}

EventLoop::Watch& EventLoop::Watch::operator=(Watch&& other) noexcept {
  if (this != &other) {
    reset();
    loop_ = std::exchange(other.loop_, nullptr);
    fd_ = other.fd_;
    id_ = other.id_;
  }
  return *this;
}

void EventLoop::Watch::reset() {
  if (loop_ == nullptr) return;
  EventLoop* loop = std::exchange(loop_, nullptr);
  ::epoll_ctl(loop->epoll_.get(), EPOLL_CTL_DEL, fd_, nullptr);
  loop->callbacks_.erase(id_);
}

EventLoop::EventLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw OutOfMemory(describe_errno("making an event loop", errno));
  posted_watch_ = watch(has_posted_.get(), EPOLLIN, [this](std::uint32_t) { run_posted(); });
}

void EventLoop::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
  }
  has_posted_.ring();
}

void EventLoop::run_posted() {
  has_posted_.clear();
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks = std::exchange(posted_, {});
  }
  std::exception_ptr failure;  // the first one; the others are not to be lost with it
  for (const auto& task : tasks) {
    try {
      task();
    } catch (...) {
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

EventLoop::Watch EventLoop::watch(int fd, std::uint32_t events, Callback callback) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = next_id_;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    throw OutOfMemory(describe_errno("watching a descriptor", errno));
  }
  callbacks_.emplace(next_id_, std::make_shared<Callback>(std::move(callback)));
  return Watch(this, fd, next_id_++);
}

void EventLoop::run_once(std::optional<Clock::time_point> limit) {
  std::array<epoll_event, events_at_once> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), events_at_once, timeout_until(limit));
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    const auto found = callbacks_.find(event.data.u64);
    if (found == callbacks_.end()) continue;
    const std::shared_ptr<Callback> callback = found->second;  // outlives the watch if it drops itself
    (*callback)(event.events);
  }
}

}  // namespace wyvern::agent
