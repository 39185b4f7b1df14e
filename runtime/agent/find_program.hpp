#pragma once

#include <string>

namespace wyvern::agent {

/// The file that `name` stands for, as a shell finds it: in `folders`, as PATH has them (null: there is no
/// such variable), unless it has a slash. Throws SpawnFailed if there is none that can be executed.
std::string find_program(const std::string& name, const char* folders);

}  // namespace wyvern::agent
