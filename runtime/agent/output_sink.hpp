#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/runtime/agent/event_loop.hpp>

namespace wyvern::agent {

/// Where lines go: the agent's own stdout or stderr, which is never waited for. A reader that does not read
/// makes the sink congested; one that has gone makes it broken, and what is written from then on is lost.
class OutputSink {
 public:
  /// Bytes that may wait for the reader before the sources are left waiting too.
  static constexpr std::size_t congestion_bytes = std::size_t{256} << 10;

  /// `fd` is a standard stream and stays open. `writable` is called when the reader that was behind reads
  /// again: flush then.
  OutputSink(EventLoop& loop, int fd, std::function<void()> writable);
  OutputSink(const OutputSink&) = delete;
  OutputSink& operator=(const OutputSink&) = delete;

  /// Append whole lines here, then flush.
  std::string& pending() { return pending_; }
  /// Writes as much as can be written now.
  void flush();

  bool empty() const { return written_ == pending_.size(); }
  bool congested() const { return pending_.size() - written_ >= congestion_bytes; }
  bool broken() const { return broken_; }

 private:
  enum class Kind {
    plain,         ///< a regular file: writing does not wait for anybody
    non_blocking,  ///< opened anew, so that O_NONBLOCK does not reach others who have the stream
    socket,
    shared,  ///< could not be opened anew: asked by poll before each write, which is no longer than PIPE_BUF
  };

  void open(int fd);
  std::size_t next_piece() const;
  /// Bytes written, 0 if nothing can be written now, -1 if the reader has gone.
  std::ptrdiff_t write_some(const char* data, std::size_t size);

  EventLoop& loop_;
  std::function<void()> on_writable_;
  Kind kind_ = Kind::plain;
  FileDescriptor own_;  // the stream opened anew
  int fd_;
  EventLoop::Watch writable_;
  std::string pending_;
  std::size_t written_ = 0;  // of pending_
  bool broken_ = false;
};

}  // namespace wyvern::agent
