#pragma once

#include <string>

namespace wyvern::launcher {

/// The file that `name` stands for, as a shell finds it: in the folders of PATH, unless it has a slash.
/// Throws SpawnFailed if there is none that can be executed.
std::string find_program(const std::string& name);

}  // namespace wyvern::launcher
