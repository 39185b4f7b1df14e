#include <algorithm>
#include <string>

#include <wyvern/runtime/launcher/doctor/memory_checks.hpp>
#include <wyvern/runtime/launcher/report.hpp>

namespace wyvern::launcher {
namespace {

/// Four endpoints; each has a file of 16 MiB.
constexpr std::uint64_t files_of_shm = std::uint64_t{64} << 20;

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;

}  // namespace

Finding check_memory(const MemoryCeiling& ceiling, std::uint64_t machine, Limit group) {
  constexpr const char* name = "memory";
  const std::uint64_t there = std::min(machine, group.value_or(machine));
  const std::string whose = there < machine ? "its control group allows" : "the machine has";
  if (ceiling.bytes > there) {
    return problem(name,
                   "a job may use " + bytes_text(ceiling.bytes) + " (" + ceiling.origin + "), but " + whose +
                       " " + bytes_text(there) + ": the kernel would kill processes before an error says so",
                   "a --memory of " + std::to_string(there / 2 / mebibyte) +
                       "M at most, or a larger memory.max of the group");
  }
  return all_well(name, bytes_text(ceiling.bytes) + " for a job (" + ceiling.origin + "), " + whose + " " +
                            bytes_text(there));
}

Finding check_shm_folder(const std::string& provider, Limit free) {
  constexpr const char* name = "/dev/shm";
  const std::string there = free ? bytes_text(*free) + " free" : "there is none";
  if (provider != "shm")
    return all_well(name, there + "; not used, shared memory of a job has no name in any file system");
  if (free && *free >= files_of_shm) return all_well(name, there + " for libfabric's provider shm");
  return problem(
      name, there + ", and libfabric's provider shm has a file of 16 MiB there for each node",
      "another --provider, or more room: mount -o remount,size=1G /dev/shm (docker run --shm-size=1g)");
}

}  // namespace wyvern::launcher
