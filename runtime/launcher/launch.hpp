#pragma once

#include <wyvern/runtime/launcher/options.hpp>

namespace wyvern::launcher {

/// Runs a job: brings up its agent, passes signals on, and says on standard output how the head ended. The
/// status that the command exits with. Throws Error if there is no job to run.
int launch(const RunOptions& options);

}  // namespace wyvern::launcher
