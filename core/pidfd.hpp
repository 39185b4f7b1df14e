#pragma once

#include <sys/types.h>

#include <wyvern/core/file_descriptor.hpp>

/// A process by descriptor: unlike its pid, it never comes to mean another process. Readable when the process
/// has ended.
namespace wyvern {

/// Invalid, with errno set, if there is no such process, or before Linux 5.3.
FileDescriptor open_pidfd(pid_t process);
/// Whether the descriptor is one that was opened for a process, or its folder in /proc.
bool is_of_process(const FileDescriptor& descriptor);
/// No effect if the process has ended.
void send_signal_to(const FileDescriptor& pidfd, int signal);

}  // namespace wyvern
