#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/agent/find_program.hpp>

namespace wyvern::agent {
namespace {

/// 0, or why this file cannot be executed.
int reason_against(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  return ::access(path.c_str(), X_OK) == 0 ? 0 : errno;
}

}  // namespace

std::string find_program(const std::string& name, const char* folders) {
  if (name.find('/') != std::string::npos) {
    if (const int reason = reason_against(name)) {
      throw SpawnFailed(describe_errno("cannot execute '" + name + "'", reason));
    }
    return name;
  }
  std::istringstream list(folders != nullptr ? folders : "/usr/local/bin:/usr/bin:/bin");
  for (std::string folder; std::getline(list, folder, ':');) {
    std::string path = (folder.empty() ? "." : folder) + "/" + name;
    if (reason_against(path) == 0) return path;
  }
  throw SpawnFailed("cannot execute '" + name +
                    "': there is no such program in PATH; for one in this folder write ./" + name);
}

}  // namespace wyvern::agent
