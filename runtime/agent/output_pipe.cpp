#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/agent/output_pipe.hpp>

namespace wyvern::agent {

OutputPipe make_output_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw OutOfMemory(describe_errno("making a pipe for the output of a process", errno));
  OutputPipe pipe{.reading = FileDescriptor(ends[0]), .writing = FileDescriptor(ends[1])};
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return pipe;
}

}  // namespace wyvern::agent
