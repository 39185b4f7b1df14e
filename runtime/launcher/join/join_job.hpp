#pragma once

#include <wyvern/runtime/launcher/join/join_options.hpp>

namespace wyvern::launcher {

/// `wyvern join`: runs a program as a process of a job that runs already, and waits for its end. Returns the
/// program's exit status, 128 + the signal if one has killed it. Throws what keeps it from being run:
/// NotFound, InvalidArgument, VersionMismatch, NodeLost, SpawnFailed.
int join_job(const JoinOptions& options);

}  // namespace wyvern::launcher
