#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <string_view>
#include <utility>

#include <wyvern/runtime/agent/output_sink.hpp>

namespace wyvern::agent {

OutputSink::OutputSink(EventLoop& loop, int fd, std::function<void()> writable)
    : loop_(loop), on_writable_(std::move(writable)), fd_(fd) {
  open(fd);
}

void OutputSink::open(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || S_ISREG(status.st_mode)) return;
  if (S_ISSOCK(status.st_mode)) {
    kind_ = Kind::socket;
    return;
  }
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  own_ = FileDescriptor(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  kind_ = own_ ? Kind::non_blocking : Kind::shared;
  if (own_) fd_ = own_.get();
}

void OutputSink::flush() {
  while (!broken_ && !empty()) {
    const std::ptrdiff_t count = write_some(pending_.data() + written_, next_piece());
    if (count > 0) {
      written_ += static_cast<std::size_t>(count);
    } else if (count < 0) {
      broken_ = true;
    } else {
      if (!writable_) writable_ = loop_.watch(fd_, EPOLLOUT, [this](std::uint32_t) { on_writable_(); });
      break;
    }
  }
  if (broken_ || empty()) {
    writable_.reset();
    pending_.clear();
    written_ = 0;
  } else if (written_ >= congestion_bytes) {
    pending_.erase(0, written_);
    written_ = 0;
  }
}

/// How much to write at once. Others may write to the same pipe or terminal, for instance a head that was run
/// directly. Up to PIPE_BUF bytes go into a pipe all or not at all, so a piece is as many whole lines as
/// that, or one longer line.
std::size_t OutputSink::next_piece() const {
  const std::string_view rest = std::string_view(pending_).substr(written_);
  if (kind_ == Kind::plain || kind_ == Kind::socket || rest.size() <= PIPE_BUF) return rest.size();
  const std::size_t last_end = rest.substr(0, PIPE_BUF).rfind('\n');
  if (last_end != std::string_view::npos) return last_end + 1;
  if (kind_ == Kind::shared) return PIPE_BUF;
  return rest.find('\n') + 1;
}

std::ptrdiff_t OutputSink::write_some(const char* data, std::size_t size) {
  if (kind_ == Kind::shared) {
    pollfd ready{fd_, POLLOUT, 0};
    if (::poll(&ready, 1, 0) == 0) return 0;
  }
  while (true) {
    const ssize_t count = kind_ == Kind::socket ? ::send(fd_, data, size, MSG_DONTWAIT | MSG_NOSIGNAL)
                                                : ::write(fd_, data, size);
    if (count > 0) return count;
    if (count < 0 && errno == EINTR) continue;
    return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : -1;
  }
}

}  // namespace wyvern::agent
