#include <algorithm>
#include <cerrno>
#include <ctime>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/event_wait.hpp>

namespace wyvern {
namespace {

/// As ppoll wants it; not negative.
timespec time_until(Deadline deadline) {
  using std::chrono::nanoseconds;
  const nanoseconds left =
      deadline.is_now() ? nanoseconds(0)
                        : std::max(nanoseconds(deadline.time() - Deadline::Clock::now()), nanoseconds(0));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
  return {.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
}

/// Of what moves between programs; beats are not part of it.
std::uint64_t traffic_of(const EndpointCounters& counters) {
  return counters.sent + counters.received + counters.bytes_read;
}

}  // namespace

void EventWait::prepare(std::span<const pollfd> others, Deadline deadline) {
  set_.assign(others.begin(), others.end());
  const int descriptor = endpoint_.descriptor();
  if (descriptor >= 0) set_.push_back({.fd = descriptor, .events = POLLIN, .revents = 0});
  // The last thing before sleeping; who may not sleep looks at the others all the same.
  const bool sleeps = descriptor < 0 || endpoint_.may_sleep();
  end_ = sleeps ? end_of_sleep(deadline) : Deadline::now();
}

std::size_t EventWait::sleep(std::span<pollfd> others) {
  const timespec time = end_.is_never() ? timespec{} : time_until(end_);
  if (::ppoll(set_.data(), set_.size(), end_.is_never() ? nullptr : &time, nullptr) < 0) {
    if (errno != EINTR) {
      throw Error(ErrorCode::invalid_argument,
                  describe_errno("waiting for " + std::to_string(set_.size()) + " descriptors", errno));
    }
    for (pollfd& entry : set_) entry.revents = 0;
  }
  std::size_t ready = 0;
  for (std::size_t i = 0; i < others.size(); ++i) {
    others[i].revents = set_[i].revents;
    if (others[i].revents != 0) ++ready;
  }
  return ready;
}

Deadline EventWait::end_of_sleep(Deadline deadline) {
  const Time now = Deadline::Clock::now();
  if (endpoint_.descriptor() >= 0) return earliest(deadline, Deadline::at(now + endpoint_.longest_sleep()));
  const std::uint64_t traffic = traffic_of(endpoint_.counters());
  if (traffic != traffic_ || last_traffic_ == Time::min()) {
    traffic_ = traffic;
    last_traffic_ = now;
  }
  return earliest(deadline, Deadline::at(now + Nap::after(now - last_traffic_)));
}

}  // namespace wyvern
