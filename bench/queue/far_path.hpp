#pragma once

#include <cstdint>
#include <string>

#include <wyvern/runtime/runtime.hpp>

namespace wyvern::bench {

/// Executes this program anew under `wyvern run --nodes N --provider P`, unless it is in a job already.
/// Returns only then; throws BadOption if the command, which lies beside this program, cannot be executed.
void run_on_nodes(std::uint32_t nodes, const std::string& provider, char** argv);
/// Throws BadOption unless the job has as many nodes that are connected in that way.
void check_nodes(const Runtime& runtime, std::uint32_t nodes, const std::string& provider);

}  // namespace wyvern::bench
