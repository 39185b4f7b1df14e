#include <algorithm>
#include <string>

#include <wyvern/runtime/launcher/doctor/limit_checks.hpp>
#include <wyvern/runtime/launcher/report.hpp>

namespace wyvern::launcher {
namespace {

/// Pools that are registered with a device, and what libfabric adds.
constexpr std::uint64_t locked_by_a_device = std::uint64_t{256} << 20;
/// For 128 processes, and the agent's own.
constexpr std::uint64_t few_files = 1024;
/// A job of a few dozen processes, and what else the user runs.
constexpr std::uint64_t few_processes = 64;
/// A segment's addresses, as a multiple of what it may commit; and what a program itself maps.
constexpr std::uint64_t addresses_per_byte = 4;
constexpr std::uint64_t programs_addresses = std::uint64_t{1} << 30;

std::string number_text(Limit limit) { return limit ? std::to_string(*limit) : "unlimited"; }
std::string amount_text(Limit limit) { return limit ? bytes_text(*limit) : "unlimited"; }

}  // namespace

Finding check_locked_memory(Limit bytes, bool has_rdma_device) {
  constexpr const char* name = "locked memory";
  if (!has_rdma_device) return all_well(name, amount_text(bytes) + "; no RDMA device needs more");
  if (!bytes || *bytes >= locked_by_a_device) return all_well(name, amount_text(bytes));
  return problem(name,
                 "processes may lock " + amount_text(bytes) +
                     ", and memory for the RDMA device of this machine has to be locked",
                 "ulimit -l unlimited, for good: \"* - memlock unlimited\" in /etc/security/limits.conf");
}

Finding check_open_files(Limit hard) {
  constexpr const char* name = "open files";
  if (!hard || *hard >= few_files) return all_well(name, number_text(hard) + " at most");
  return problem(name,
                 "a process may have " + number_text(hard) +
                     " files open at most, and the agent needs several for each process of a job",
                 "as root: ulimit -Hn 65536, for good: \"* hard nofile 65536\" in /etc/security/limits.conf");
}

Finding check_processes(Limit user, Limit group) {
  constexpr const char* name = "processes";
  if (group && *group < few_processes) {
    return problem(name,
                   "the control group of this shell allows " + number_text(group) + " processes and threads",
                   "raise its pids.max (docker run --pids-limit, systemd TasksMax)");
  }
  if (user && *user < few_processes) {
    return problem(name, "this user may have " + number_text(user) + " processes and threads",
                   "ulimit -u 4096, for good: \"* - nproc 4096\" in /etc/security/limits.conf");
  }
  return all_well(name,
                  number_text(user) + " for this user, " + number_text(group) + " in the control group");
}

Finding check_address_space(Limit bytes, std::uint64_t memory_ceiling) {
  constexpr const char* name = "address space";
  const std::uint64_t needed = addresses_per_byte * memory_ceiling + programs_addresses;
  if (!bytes || *bytes >= needed) return all_well(name, amount_text(bytes));
  return problem(name,
                 "a process may map " + amount_text(bytes) + ", and reserves addresses of " +
                     bytes_text(needed) + " for a node that may use " + bytes_text(memory_ceiling) +
                     " (only what is used takes memory)",
                 "ulimit -v unlimited, or a smaller --memory");
}

}  // namespace wyvern::launcher
