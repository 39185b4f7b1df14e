#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <cstddef>

namespace wyvern::agent {

/// Everything the new process needs, prepared beforehand: between clone and exec nothing may allocate or
/// throw.
struct SpawnPlan {
  int executable = -1;         ///< run by descriptor, or, if there is none,
  const char* path = nullptr;  ///< by path
  char* const* arguments = nullptr;
  char* const* environment = nullptr;
  int directory = -1;  ///< working directory; -1: the agent's
  int input = -1;      ///< become the standard streams
  int output = -1;
  int error = -1;
  pid_t group = 0;             ///< process group to join; 0: one of its own
  rlimit descriptors = {};     ///< limit on open files
  sigset_t ignored_signals{};  ///< by the caller, and so by the program; all zero: none
};

/// Starts processes that do not outlive this one. For the main thread: the kernel ties the life of
/// a child to the thread that made it.
class Spawner {
 public:
  /// Throws OutOfMemory.
  Spawner();
  ~Spawner();
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;

  /// Returns once the new program executes. Throws SpawnFailed with the step and the reason; nothing is left
  /// then.
  pid_t spawn(const SpawnPlan& plan);

 private:
  void* stack_;  // of the child, until it executes
};

}  // namespace wyvern::agent
