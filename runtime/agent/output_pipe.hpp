#pragma once

#include <wyvern/core/file_descriptor.hpp>

namespace wyvern::agent {

/// What a process prints into, and an agent forwards from.
struct OutputPipe {
  FileDescriptor reading;  ///< does not block
  FileDescriptor writing;  ///< does, as that of any pipe
};

/// Both ends are close-on-exec. Throws OutOfMemory.
OutputPipe make_output_pipe();

}  // namespace wyvern::agent
