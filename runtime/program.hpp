#pragma once

#include <string>
#include <vector>

#include <wyvern/core/file_descriptor.hpp>

namespace wyvern {

/// The program that this process executes, as far as a process of the same program has to be started like it.
const std::vector<std::string>& program_arguments();
void set_program_arguments(std::vector<std::string> arguments);
/// This process's environment as it is now, "NAME=value".
std::vector<std::string> program_environment();
/// Opens /dev/null for each standard stream that is closed, so that no other descriptor is taken for one.
void open_missing_streams();
/// The executable file, also if it was replaced or removed since. Throws SpawnFailed.
FileDescriptor open_program();
/// The working directory as it is now. Throws SpawnFailed.
FileDescriptor open_working_directory();
/// Where these are, for processes on other nodes. Throw SpawnFailed.
std::string program_path();
std::string working_directory();

}  // namespace wyvern
