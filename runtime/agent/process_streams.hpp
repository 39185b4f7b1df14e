#pragma once

#include <vector>

#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/runtime/protocol/start_payload.hpp>

namespace wyvern::agent {

/// The standard streams of a process that is about to be started. All are close-on-exec.
struct ProcessStreams {
  // What becomes the process's own.
  FileDescriptor input;
  FileDescriptor output;
  FileDescriptor error;  ///< invalid: the same as `output`

  // Reading ends of what the agent forwards, which do not block; invalid: it goes elsewhere.
  FileDescriptor forwarded_output;
  FileDescriptor forwarded_error;

  /// The other ends of those that are piped, for who starts the process; in order of the streams.
  std::vector<FileDescriptor> piped;
};

/// Opens and makes what it takes, without waiting for anybody. Throws SpawnFailed, which names the file, and
/// OutOfMemory.
ProcessStreams open_streams(const control::StartPayload& content);

}  // namespace wyvern::agent
