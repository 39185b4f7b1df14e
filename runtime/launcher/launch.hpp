#pragma once

#include <wyvern/runtime/agent/network.hpp>
#include <wyvern/runtime/launcher/options.hpp>

namespace wyvern::launcher {

/// Runs a job: brings up its agents, passes signals on, and says on standard output how the head ended. The
/// status that the command exits with. Throws Error if there is no job to run. `open_network` is called in
/// each agent, if there are several.
int launch(const RunOptions& options, const agent::NetworkFactory& open_network);

}  // namespace wyvern::launcher
