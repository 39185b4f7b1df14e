#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include <wyvern/runtime/agent/output_forwarder.hpp>

namespace wyvern::agent {
namespace {

/// As much as a pipe holds, unless somebody has enlarged it.
constexpr std::size_t read_bytes = std::size_t{64} << 10;
/// For the label that another agent has put before a line of full length: such a line is not split again.
constexpr std::size_t label_room = 64;
/// Who writes what another node's agent forwards; never given to a process of this one.
constexpr std::uint32_t other_node = ~std::uint32_t{0};

}  // namespace

OutputForwarder::OutputForwarder(EventLoop& loop, int out, int err)
    : loop_(loop), out_(loop, out, *this), err_(loop, err, *this) {}

void OutputForwarder::add(FileDescriptor pipe, Stream stream, std::uint32_t process, std::string label) {
  add(std::move(pipe), stream, process, LineSplitter(std::move(label)));
}

void OutputForwarder::add_node(FileDescriptor pipe, Stream stream) {
  add(std::move(pipe), stream, other_node, LineSplitter({}, LineSplitter::max_line_bytes + label_room));
}

void OutputForwarder::add(FileDescriptor pipe, Stream stream, std::uint32_t process, LineSplitter lines) {
  Channel& to = channel(stream);
  if (to.sink.broken()) return;
  to.sources.push_front(
      {.pipe = std::move(pipe), .process = process, .lines = std::move(lines), .readable = {}});
  if (!to.held_back) watch(to, to.sources.begin());
}

void OutputForwarder::drain(std::uint32_t process) {
  for (Channel* from : {&out_, &err_}) {
    // A flush on the way may find the reader gone, which takes all sources away.
    for (auto source = from->sources.begin(); !from->sink.broken() && source != from->sources.end();) {
      const auto current = source++;
      if (current->process == process) read_all(*from, current);
    }
    flush(*from);
  }
}

bool OutputForwarder::drain_all(bool last) {
  const bool out_done = drain_all(out_, last);
  const bool err_done = drain_all(err_, last);
  return out_done && err_done;
}

bool OutputForwarder::drain_all(Channel& from, bool last) {
  for (auto source = from.sources.begin(); !from.sink.broken() && source != from.sources.end();) {
    read_all(from, source++);
    if (from.held_back) return false;
  }
  if (last) {
    for (Source& source : from.sources) source.lines.finish(from.sink.pending());
    from.sources.clear();
  }
  flush(from);
  return from.sink.empty();
}

void OutputForwarder::log(std::string_view line) {
  if (err_.sink.broken()) return;
  (err_.sink.pending() += line) += '\n';
}

void OutputForwarder::flush() {
  flush(out_);
  flush(err_);
}

void OutputForwarder::watch(Channel& channel, Sources::iterator source) {
  source->readable = loop_.watch(source->pipe.get(), EPOLLIN,
                                 [this, &channel, source](std::uint32_t) { read_some(channel, source); });
}

bool OutputForwarder::read_some(Channel& channel, Sources::iterator source) {
  if (channel.sink.congested()) flush(channel);
  if (channel.sink.congested() || channel.sink.broken()) return false;  // flush has seen to the sources

  std::array<char, read_bytes> buffer;
  const ssize_t count = ::read(source->pipe.get(), buffer.data(), buffer.size());
  if (count > 0) {
    source->lines.feed({buffer.data(), static_cast<std::size_t>(count)}, channel.sink.pending());
    return true;
  }
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return errno == EINTR;
  source->lines.finish(channel.sink.pending());
  channel.sources.erase(source);
  return false;
}

void OutputForwarder::read_all(Channel& channel, Sources::iterator source) {
  while (read_some(channel, source)) {
  }
}

void OutputForwarder::flush(Channel& channel) {
  channel.sink.flush();
  if (channel.sink.broken()) {
    channel.sources.clear();
    channel.held_back = false;
  } else if (channel.sink.congested() != channel.held_back) {
    channel.held_back = channel.sink.congested();
    for (auto source = channel.sources.begin(); source != channel.sources.end(); ++source) {
      // Not watched at all rather than for no event: an end of the pipe would be reported again and again.
      if (channel.held_back) {
        source->readable.reset();
      } else {
        watch(channel, source);
      }
    }
  }
}

}  // namespace wyvern::agent
