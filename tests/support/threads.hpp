#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace wyvern::test {

/// The ids of this process's threads, as they were a moment ago.
inline std::vector<pid_t> threads_of_this_process() {
  std::vector<pid_t> threads;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task"))
    threads.push_back(std::stoi(task.path().filename()));
  return threads;
}

}  // namespace wyvern::test
