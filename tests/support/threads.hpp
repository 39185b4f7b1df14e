#pragma once

#include <sys/types.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace wyvern::test {

/// The ids of a process's threads, as they were a moment ago.
inline std::vector<pid_t> threads_of(const std::string& process) {
  std::vector<pid_t> threads;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + process + "/task"))
    threads.push_back(std::stoi(task.path().filename()));
  return threads;
}

inline std::vector<pid_t> threads_of_this_process() { return threads_of("self"); }

/// The state of a thread as the kernel calls it: 'R' where it runs or could, 'S' where it sleeps; 0 if it is
/// gone.
inline char state_of(const std::string& process, pid_t thread) {
  std::ifstream file("/proc/" + process + "/task/" + std::to_string(thread) + "/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(") ");
  return name_end == std::string::npos ? '\0' : text[name_end + 2];
}

}  // namespace wyvern::test
