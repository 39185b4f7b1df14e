#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <wyvern/runtime/standard_stream.hpp>

namespace wyvern {

/// How a process is started. What is not said here comes from who starts it: arguments, environment, working
/// directory. What the kernel hands down comes from the agent of its node, which took it over when the job
/// began: umask, nice value, control group and resource limits, but for that on open files, which is the
/// job's.
struct ProcessOptions {
  /// Where it runs, from 1 on; 0: the processes that one starts go over all nodes of the job, one after
  /// another, beginning with its own. One with a pipe runs on its starter's.
  std::uint32_t node = 0;
  /// What tools such as ps and top show, of which the kernel keeps 15 characters, and Process::name; empty:
  /// the program's. Another program keeps its own name in the kernel.
  std::string name = {};
  /// Variables that are added to those of who starts it, or take their place.
  std::map<std::string, std::string> environment = {};
  /// Working directory, on the node where it runs; a relative one is relative to that of who starts it.
  /// Empty: the same.
  std::string directory = {};
  StandardStream input = StandardStream::null();
  StandardStream output = StandardStream::inherit();
  /// The same file as for `output` is one file: lines come in the order in which they were printed.
  StandardStream error = StandardStream::inherit();
};

}  // namespace wyvern
