#pragma once

#include <string>

#include <wyvern/runtime/runtime.hpp>

namespace wyvern::bench {

/// Executes this program anew under `wyvern run --nodes 2 --provider P`, unless it is in a job already.
/// Returns only then; throws BadOption if the command, which lies beside this program, cannot be executed.
void run_on_two_nodes(const std::string& provider, char** argv);
/// Throws BadOption unless the job has nodes that are connected in that way.
void check_nodes(const Runtime& runtime, const std::string& provider);

}  // namespace wyvern::bench
