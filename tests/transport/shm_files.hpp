#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace wyvern::test {

/// What endpoints of the provider shm in a process that was killed have left in /dev/shm.
inline void remove_shm_files_of(pid_t process) {
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm")) {
    if (entry.path().filename().string().starts_with(std::to_string(process) + ":"))
      std::filesystem::remove(entry.path());
  }
}

}  // namespace wyvern::test
