#pragma once

#include <string>
#include <vector>

#include <wyvern/core/member.hpp>
#include <wyvern/runtime/process_options.hpp>
#include <wyvern/runtime/protocol/start_payload.hpp>

/// From what a user says about a process to what its agent is told.
namespace wyvern::start_options {

/// InvalidArgument, which names the option, if no process of the job can be started so.
void check(const Member& member, const ProcessOptions& options);
/// InvalidArgument if that is no program with its arguments.
void check_program(const std::vector<std::string>& arguments);
/// Whether a standard stream leads to who starts the process.
bool has_pipe(const ProcessOptions& options);

/// What a process gets, but its entry. `program`: another program and its arguments; empty: this one. Throws
/// SpawnFailed if this process's working directory is needed and has gone.
control::StartContent content(const ProcessOptions& options, const std::vector<std::string>& program);
/// What the process is called.
std::string name(const ProcessOptions& options, const std::vector<std::string>& program);

}  // namespace wyvern::start_options
