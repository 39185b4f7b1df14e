#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <wyvern/core/cgroup.hpp>

namespace wyvern {
namespace {

/// Spaces and the like are written as a backslash and three octal digits.
std::string unescape(const std::string& word) {
  std::string text;
  for (std::size_t at = 0; at < word.size(); ++at) {
    const char* const digits = word.data() + at + 1;
    unsigned code = 0;
    if (word[at] == '\\' && at + 3 < word.size() &&
        std::from_chars(digits, digits + 3, code, 8).ptr == digits + 3) {
      text += static_cast<char>(code);
      at += 3;
    } else {
      text += word[at];
    }
  }
  return text;
}

/// What of a hierarchy is mounted, and where.
struct Mount {
  std::string part;
  std::string point;
};

std::vector<Mount> version2_mounts(const std::string& root) {
  std::vector<Mount> mounts;
  std::ifstream lines(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" - cgroup2 ") == std::string::npos) continue;
    std::istringstream words(line);
    std::string skipped;
    Mount mount;
    if (words >> skipped >> skipped >> skipped >> mount.part >> mount.point) {
      mounts.push_back({unescape(mount.part), unescape(mount.point)});
    }
  }
  return mounts;
}

}  // namespace

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

std::optional<std::string> version2_cgroup(const std::string& process, const std::string& root) {
  std::ifstream lines(root + "/proc/" + process + "/cgroup");
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("0::/")) return line.substr(3);
  }
  return std::nullopt;
}

std::optional<std::string> version2_cgroup_folder(const std::string& root) {
  const auto path = version2_cgroup("self", root);
  if (!path) return std::nullopt;
  for (const Mount& mount : version2_mounts(root)) {
    const std::string part = mount.part == "/" ? "" : mount.part;
    if (!(*path + "/").starts_with(part + "/")) continue;
    const std::string inside = path->substr(part.size());
    std::string folder = root + mount.point;
    if (inside != "/") folder += inside;
    std::error_code error;
    if (std::filesystem::is_directory(folder, error)) return folder;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> read_cgroup_number(const std::string& file) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  return in >> value ? std::optional(value) : std::nullopt;
}

}  // namespace wyvern
