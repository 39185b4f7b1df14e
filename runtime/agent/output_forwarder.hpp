#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/runtime/agent/event_loop.hpp>
#include <wyvern/runtime/agent/line_splitter.hpp>
#include <wyvern/runtime/agent/output_sink.hpp>

namespace wyvern::agent {

/// Forwards what processes print, line by line: stdout to stdout, stderr to stderr. When the reader of one
/// stream does not read, the pipes that lead there are left to fill, which stops who prints and nobody else.
/// When it has gone, they are closed, so that who prints is told as if it wrote there itself.
class OutputForwarder {
 public:
  enum class Stream { out, err };

  /// Writes to descriptors `out` and `err`, which stay open.
  OutputForwarder(EventLoop& loop, int out, int err);

  /// Forwards from the reading end of a non-blocking pipe until its writers have gone. `process` is who
  /// writes.
  void add(FileDescriptor pipe, Stream stream, std::uint32_t process, std::string label);
  /// The same for what the agent of another node forwards: lines that are whole and labelled already.
  void add_node(FileDescriptor pipe, Stream stream);
  /// Takes what that process has written so far and passes it on, unless its stream is congested.
  void drain(std::uint32_t process);
  /// The same for all. `last`: nobody is left who writes, so lines without an end are complete. True when
  /// nothing is left to forward; otherwise to be called again after a turn of the loop.
  bool drain_all(bool last);
  /// A line of the agent's own, to stderr.
  void log(std::string_view line);
  /// Writes what was read. To be called after each turn of the loop.
  void flush();

 private:
  struct Source {
    FileDescriptor pipe;
    std::uint32_t process;
    LineSplitter lines;
    EventLoop::Watch readable;  // after the pipe: ends before it
  };
  using Sources = std::list<Source>;

  /// One of the two streams: where it goes, and what leads there.
  struct Channel {
    Channel(EventLoop& loop, int fd, OutputForwarder& forwarder)
        : sink(loop, fd, [this, &forwarder] { forwarder.flush(*this); }) {}

    OutputSink sink;
    Sources sources;
    bool held_back = false;  // the sources are not watched, because the sink is congested
  };

  void add(FileDescriptor pipe, Stream stream, std::uint32_t process, LineSplitter lines);
  Channel& channel(Stream stream) { return stream == Stream::out ? out_ : err_; }
  void watch(Channel& channel, Sources::iterator source);
  /// Reads once; false if there is nothing more now. A source that has ended is gone then.
  bool read_some(Channel& channel, Sources::iterator source);
  void read_all(Channel& channel, Sources::iterator source);
  bool drain_all(Channel& channel, bool last);
  void flush(Channel& channel);

  EventLoop& loop_;
  Channel out_;
  Channel err_;
};

}  // namespace wyvern::agent
