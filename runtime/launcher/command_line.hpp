#pragma once

#include <variant>

#include <wyvern/runtime/launcher/options.hpp>

namespace wyvern::launcher {

/// Nothing is left to do: what there was to say was said.
struct ExitWith {
  int status = 0;
};

/// What a command line asks for.
using Request = std::variant<ExitWith, RunOptions>;

Request parse_command_line(int argc, const char* const* argv);

}  // namespace wyvern::launcher
