#include <fstream>

#include <wyvern/core/cgroup.hpp>

namespace wyvern {

std::vector<std::string> cgroup_folders(const std::string& controller, const std::string& root) {
  std::vector<std::string> folders;
  std::ifstream lines(root + "/proc/self/cgroup");
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool version2 = controllers == ",,";
    if (!version2 && controllers.find("," + controller + ",") == std::string::npos) continue;
    std::string hierarchy = root + "/sys/fs/cgroup";
    if (!version2) hierarchy.append("/").append(controller);
    std::string path = line.substr(second + 1);
    if (path == "/") path.clear();  // the outermost, as in a container
    for (;; path.erase(path.rfind('/'))) {
      folders.push_back(hierarchy + path + "/");
      if (path.rfind('/') == std::string::npos) break;
    }
  }
  return folders;
}

std::optional<std::uint64_t> read_cgroup_number(const std::string& file) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  return in >> value ? std::optional(value) : std::nullopt;
}

}  // namespace wyvern
