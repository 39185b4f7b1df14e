#include <cstdio>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/launcher/doctor/kernel_checks.hpp>
#include <wyvern/runtime/launcher/report.hpp>

namespace wyvern::launcher {

Finding check_kernel(const std::string& release, int memfd_error) {
  constexpr const char* name = "kernel";
  int major = 0;
  int minor = 0;
  if (std::sscanf(release.c_str(), "%d.%d", &major, &minor) == 2 &&
      (major < 5 || (major == 5 && minor < 9))) {
    return problem(name, "Linux " + release + " has no close_range or pidfd_open", "Linux 5.9 or newer");
  }
  if (memfd_error != 0) {
    return problem(name, describe_errno("memfd_create", memfd_error) + ": no shared memory can be made",
                   "a container's seccomp profile that allows memfd_create");
  }
  return all_well(name, "Linux " + release);
}

Finding check_namespaces(const std::string& proc_self, pid_t pid) {
  constexpr const char* name = "namespaces";
  if (proc_self == std::to_string(pid)) {
    return all_well(name, "/proc is that of this process namespace; no names of the IPC namespace are used");
  }
  return problem(name,
                 proc_self.empty() ? "there is no /proc, by which the processes of a job are found"
                                   : "/proc is that of another process namespace: this process is " +
                                         std::to_string(pid) + ", and " + proc_self + " there",
                 "mount -t proc proc /proc, in the namespace (unshare --mount-proc)");
}

Finding check_core_files(const CoreFiles& files) {
  constexpr const char* name = "core files";
  if (!files.pattern.empty() && files.pattern.front() == '|') {
    const std::string program = files.pattern.substr(1);
    if (!files.handler_exists)
      return all_well(name,
                      "given to a program of the host, which is not seen from this container: " + program);
    if (*files.handler_exists) return all_well(name, "given to " + program);
    if (files.limit == 0)
      return all_well(name, "none are wanted; " + program + ", which would get them, is not there");
    return problem(name, "core files are given to a program that is not there: " + program,
                   "as root: sysctl kernel.core_pattern=core.%p");
  }
  if (files.limit == 0)
    return all_well(name, "none are written; with ulimit -c unlimited processes that crash would leave one");
  // Of all processes of a job, which mostly have the same working directory.
  if (!files.adds_pid && files.pattern.find("%p") == std::string::npos &&
      files.pattern.find("%P") == std::string::npos) {
    return problem(name,
                   "core files are all called " + files.pattern + ": those of a job overwrite each other",
                   "as root: sysctl kernel.core_pattern=core.%p");
  }
  return all_well(name, "called " + files.pattern + (files.adds_pid ? ", with the process id" : ""));
}

}  // namespace wyvern::launcher
