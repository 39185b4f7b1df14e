#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <wyvern/core/memory_limit.hpp>

namespace wyvern {
namespace {

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

/// Calls `visit` with the folder of this process's cgroup for a controller (version 2: empty name), then of
/// each parent.
template <class Visit>
void for_each_cgroup(const std::string& controller, Visit visit) {
  std::ifstream lines("/proc/self/cgroup");
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool version2 = controllers == ",,";
    if (!version2 && controllers.find("," + controller + ",") == std::string::npos) continue;
    const std::string root = version2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/" + controller;
    for (std::string path = line.substr(second + 1);; path.erase(path.rfind('/'))) {
      visit(root + path + "/");
      if (path.rfind('/') == std::string::npos) break;
    }
  }
}

std::uint64_t read_limit(const std::string& file) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  return in >> value ? value : unlimited;  // "max" is not a number either
}

/// The kernel refuses a mask that is shorter than its own: tried with longer ones.
int cores_in_affinity_mask() {
  for (std::size_t sets = 1; sets <= 64; sets *= 2) {
    std::vector<cpu_set_t> mask(sets);
    if (::sched_getaffinity(0, sets * sizeof(cpu_set_t), mask.data()) == 0) {
      return CPU_COUNT_S(sets * sizeof(cpu_set_t), mask.data());
    }
  }
  return 1;
}

}  // namespace

std::uint64_t default_memory_ceiling() {
  std::uint64_t limit = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                        static_cast<std::uint64_t>(::sysconf(_SC_PAGE_SIZE));
  for_each_cgroup("memory", [&limit](const std::string& folder) {
    limit =
        std::min({limit, read_limit(folder + "memory.max"), read_limit(folder + "memory.limit_in_bytes")});
  });
  return limit / 2;
}

std::uint32_t usable_cores() {
  double cores = cores_in_affinity_mask();
  for_each_cgroup("cpu", [&cores](const std::string& folder) {
    double quota = 0;
    double period = 0;
    if (std::ifstream both(folder + "cpu.max"); both >> quota >> period && period > 0)
      cores = std::min(cores, quota / period);
    std::ifstream quota_file(folder + "cpu.cfs_quota_us");
    std::ifstream period_file(folder + "cpu.cfs_period_us");
    if (quota_file >> quota && period_file >> period && quota > 0 && period > 0)
      cores = std::min(cores, quota / period);
  });
  return static_cast<std::uint32_t>(std::max(1.0, std::ceil(cores)));
}

}  // namespace wyvern
