#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include <wyvern/core/cgroup.hpp>
#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/runtime/launcher/doctor/facts.hpp>

namespace wyvern::launcher {
namespace {

/// What version 1 says for "no limit" is a number, near the largest.
constexpr std::uint64_t no_limit = std::uint64_t{1} << 60;

Limit to_limit(rlim_t value) { return value == RLIM_INFINITY ? Limit() : Limit(value); }

std::string first_line_of(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

/// Whether this process is in the kernel's first process namespace, as in no container, and not below another
/// root than that one's first process, so far as that can be seen.
bool sees_files_of_host() {
  const std::string first_namespace = "pid:[4026531836]";  // PROC_PID_INIT_INO of the kernel
  std::error_code error;
  if (std::filesystem::read_symlink("/proc/self/ns/pid", error) != first_namespace) return false;
  const bool same_root = std::filesystem::equivalent("/proc/1/root", "/", error);
  return error || same_root;
}

rlimit limits_of(int resource) {
  rlimit limits{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
  ::getrlimit(static_cast<__rlimit_resource>(resource), &limits);
  return limits;
}

}  // namespace

std::string kernel_release() {
  utsname name{};
  return ::uname(&name) == 0 ? name.release : "";
}

int try_memfd() {
  const FileDescriptor file(::memfd_create("wyvern-doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  return file ? 0 : errno;
}

std::string proc_self() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self", error).string();
}

std::uint64_t machine_memory() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGE_SIZE));
}

Limit group_limit(const std::string& controller, const std::string& root) {
  Limit tightest;
  for (const std::string& folder : cgroup_folders(controller, root)) {
    for (const char* file : {".max", ".limit_in_bytes"}) {
      const auto value = read_cgroup_number(folder + controller + file);
      if (value && *value < tightest.value_or(no_limit)) tightest = value;
    }
  }
  return tightest;
}

Limit own_limit(int resource) { return to_limit(limits_of(resource).rlim_cur); }

Limit limit_on_processes() { return ::getuid() == 0 ? Limit() : own_limit(RLIMIT_NPROC); }

Limit hard_limit(int resource) { return to_limit(limits_of(resource).rlim_max); }

Limit free_bytes(const std::string& folder) {
  struct statvfs system {};
  if (::statvfs(folder.c_str(), &system) != 0) return {};
  return std::uint64_t{system.f_bavail} * system.f_frsize;
}

bool has_rdma_device() {
  std::error_code error;
  const std::filesystem::directory_iterator devices("/sys/class/infiniband", error);
  return !error && devices != std::filesystem::directory_iterator();
}

CoreFiles core_files() {
  CoreFiles files{.limit = own_limit(RLIMIT_CORE),
                  .pattern = first_line_of("/proc/sys/kernel/core_pattern"),
                  .adds_pid = first_line_of("/proc/sys/kernel/core_uses_pid") == "1",
                  .handler_exists = true};
  if (files.pattern.starts_with('|')) {
    std::istringstream words(files.pattern.substr(1));
    std::string program;
    words >> program;
    files.handler_exists =
        sees_files_of_host() ? std::optional(::access(program.c_str(), F_OK) == 0) : std::nullopt;
  }
  return files;
}

std::vector<std::string> variable_names() {
  std::vector<std::string> names;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    names.emplace_back(text.substr(0, text.find('=')));
  }
  return names;
}

}  // namespace wyvern::launcher
