#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include <wyvern/core/cgroup.hpp>
#include <wyvern/core/memory_limit.hpp>

namespace wyvern {
namespace {

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

MemoryLimit memory_limit(const std::string& root) {
  MemoryLimit limit{static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                    static_cast<std::uint64_t>(::sysconf(_SC_PAGE_SIZE))};
  for (const std::string& folder : cgroup_folders("memory", root)) {
    for (const char* file : {"memory.max", "memory.limit_in_bytes"}) {
      const auto bytes = read_cgroup_number(folder + file);
      if (bytes && *bytes < limit.bytes) limit = {*bytes, folder};
    }
  }
  return limit;
}

std::uint64_t default_memory_ceiling() { return memory_limit().bytes / 2; }

std::uint32_t usable_cores() {
  double cores = cores_in_affinity_mask();
  for (const std::string& folder : cgroup_folders("cpu")) {
    double quota = 0;
    double period = 0;
    if (std::ifstream both(folder + "cpu.max"); both >> quota >> period && period > 0)
      cores = std::min(cores, quota / period);
    std::ifstream quota_file(folder + "cpu.cfs_quota_us");
    std::ifstream period_file(folder + "cpu.cfs_period_us");
    if (quota_file >> quota && period_file >> period && quota > 0 && period > 0)
      cores = std::min(cores, quota / period);
  }
  return static_cast<std::uint32_t>(std::max(1.0, std::ceil(cores)));
}

}  // namespace wyvern
