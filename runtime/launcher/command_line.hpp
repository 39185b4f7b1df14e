#pragma once

#include <string>
#include <variant>
#include <vector>

#include <wyvern/runtime/launcher/jobs/job_options.hpp>
#include <wyvern/runtime/launcher/join/join_options.hpp>
#include <wyvern/runtime/launcher/options.hpp>
#include <wyvern/runtime/launcher/shared_options.hpp>

namespace wyvern::launcher {

/// Nothing is left to do: what there was to say was said.
struct ExitWith {
  int status = 0;
};

/// Of `wyvern info`.
struct InfoOptions {
  Settings settings;
  bool json = false;
};

/// Of `wyvern doctor`.
struct DoctorOptions {
  Settings settings;
  std::vector<std::string> hosts;  ///< that are to be reached
  bool json = false;
};

/// What a command line asks for.
using Request =
    std::variant<ExitWith, RunOptions, InfoOptions, DoctorOptions, PsOptions, TopOptions, JoinOptions>;

Request parse_command_line(int argc, const char* const* argv);

}  // namespace wyvern::launcher
