#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/agent/output_pipe.hpp>
#include <wyvern/runtime/agent/process_streams.hpp>

namespace wyvern::agent {
namespace {

using Kind = StandardStream::Kind;

constexpr mode_t new_file_mode = 0666;  // less the umask, as that of any file that a shell makes

FileDescriptor open_file(const std::string& path, int flags, const char* what) {
  // O_NONBLOCK: the agent does not wait for the other end of a FIFO. The process gets it as it is usual.
  FileDescriptor file(::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, new_file_mode));
  if (!file) throw SpawnFailed(describe_errno("opening " + path + " for its " + what, errno));
  ::fcntl(file.get(), F_SETFL, flags & O_APPEND);
  return file;
}

/// Its reading end is the caller's, or its writing end; both block, as those of any pipe.
std::pair<FileDescriptor, FileDescriptor> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw OutOfMemory(describe_errno("making a pipe to a process", errno));
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

FileDescriptor open_input(const StandardStream& stream, ProcessStreams& streams) {
  if (stream.kind() == Kind::file) return open_file(stream.path(), O_RDONLY, "standard input");
  if (stream.kind() == Kind::null) return open_file("/dev/null", O_RDONLY, "standard input");
  auto [reading, writing] = make_pipe();
  streams.piped.push_back(std::move(writing));
  return std::move(reading);
}

FileDescriptor open_output(const StandardStream& stream, const char* what, FileDescriptor& forwarded,
                           ProcessStreams& streams) {
  switch (stream.kind()) {
    case Kind::null: return open_file("/dev/null", O_WRONLY, what);
    case Kind::file: return open_file(stream.path(), O_WRONLY | O_CREAT | O_TRUNC, what);
    case Kind::append: return open_file(stream.path(), O_WRONLY | O_CREAT | O_APPEND, what);
    case Kind::piped: {
      auto [reading, writing] = make_pipe();
      streams.piped.push_back(std::move(reading));
      return std::move(writing);
    }
    case Kind::inherit: break;
  }
  OutputPipe pipe = make_output_pipe();
  forwarded = std::move(pipe.reading);
  return std::move(pipe.writing);
}

}  // namespace

ProcessStreams open_streams(const control::StartPayload& content) {
  ProcessStreams streams;
  const StandardStream& output = content.output();
  const StandardStream& error = content.error();
  streams.input = open_input(content.input(), streams);
  streams.output = open_output(output, "standard output", streams.forwarded_output, streams);
  // One file for both is opened once: otherwise each would write over the other.
  if (!(output.is_file() && error.is_file() && output.path() == error.path())) {
    streams.error = open_output(error, "standard error", streams.forwarded_error, streams);
  }
  return streams;
}

}  // namespace wyvern::agent
