#include "bench/common/machine.hpp"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <thread>

namespace wyvern::bench {
namespace {

/// The first value of `key` in a file of lines "key SEPARATOR value"; empty if there is none.
std::string value_of(const char* file, const std::string& key, char separator) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const std::size_t at = line.find(separator);
    if (at == std::string::npos || !line.starts_with(key)) continue;
    const std::size_t begin = line.find_first_not_of(" \t\"", at + 1);
    if (begin == std::string::npos) return {};
    return line.substr(begin, line.find_last_not_of('"') - begin + 1);
  }
  return {};
}

/// None if the kernel does not say.
cpu_set_t usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) CPU_ZERO(&set);
  return set;
}

/// CPU time that all cores together have spent on work, in clock ticks since the machine's start.
double work_done() {
  std::ifstream in("/proc/stat");
  std::string cpu;
  double user = 0;
  double nice = 0;
  double system = 0;
  in >> cpu >> user >> nice >> system;
  return user + nice + system;
}

std::string with_two_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

}  // namespace

double busy_cores() {
  constexpr std::chrono::duration<double> look{0.2};
  const double before = work_done();
  std::this_thread::sleep_for(look);
  return (work_done() - before) / static_cast<double>(::sysconf(_SC_CLK_TCK)) / look.count();
}

void keep_to_core(std::uint32_t n) {
  const cpu_set_t usable = usable_cores();
  std::uint32_t before = 0;
  for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &usable) || before++ != n) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    ::sched_setaffinity(0, sizeof one, &one);
    return;
  }
}

std::vector<std::pair<std::string, std::string>> describe_machine(double ns_per_tick, double busy_before) {
  utsname system{};
  const cpu_set_t usable = usable_cores();
  ::uname(&system);
  const auto memory = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                      static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return {{"processor", value_of("/proc/cpuinfo", "model name", ':')},
          {"hypervisor",
           value_of("/proc/cpuinfo", "flags", ':').find(" hypervisor") != std::string::npos ? "yes" : "no"},
          {"usable_cores", std::to_string(CPU_COUNT(&usable))},
          {"memory_mib", std::to_string(memory >> 20)},
          {"architecture", system.machine},
          {"kernel", std::string(system.sysname) + " " + system.release},
          {"distribution", value_of("/etc/os-release", "PRETTY_NAME", '=')},
          {"compiler", __VERSION__},
          {"build_type", WYVERN_BUILD_TYPE},
          {"clock_mhz", with_two_digits(1e3 / ns_per_tick)},
          {"busy_cores_before", with_two_digits(busy_before)}};
}

}  // namespace wyvern::bench
