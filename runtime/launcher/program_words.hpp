#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <CLI/App.hpp>

namespace wyvern::launcher {

/// Cuts PROGRAM and all behind it off a command line, and returns it: it is not looked at. PROGRAM is what
/// follows
/// "--", or else what comes after `before` words that are neither options nor the value of one. The first
/// argument is the command's name; `parser` knows its options.
std::vector<std::string> take_program(const CLI::App& parser, std::size_t before,
                                      std::vector<std::string>& arguments);

}  // namespace wyvern::launcher
