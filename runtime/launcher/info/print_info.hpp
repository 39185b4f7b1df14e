#pragma once

#include <wyvern/runtime/launcher/command_line.hpp>

namespace wyvern::launcher {

/// `wyvern info`: prints what there is and what would be chosen. Returns the exit status.
int print_info(const InfoOptions& options);

}  // namespace wyvern::launcher
