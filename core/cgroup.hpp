#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wyvern {

/// The folders of the control groups that this process is in: its own first, then those around it. For a
/// controller as version 1 calls it ("memory"); of version 2 there is one hierarchy for all. Their files need
/// not be there. `root`: where /proc and /sys are looked for.
std::vector<std::string> cgroup_folders(const std::string& controller, const std::string& root = "");

/// The path of the control group of version 2 that a process is in, from the outermost one that this process
/// can see. `process`: a pid, or "self". None if there is none, or the process has gone. `root`: as above.
std::optional<std::string> version2_cgroup(const std::string& process, const std::string& root = "");

/// The folder of the control group of version 2 that this process is in, wherever that is mounted. None if
/// there is none, or it cannot be seen from here. `root`: as above.
std::optional<std::string> version2_cgroup_folder(const std::string& root = "");

/// The number that a file begins with; none if there is no such file, or no number: "max".
std::optional<std::uint64_t> read_cgroup_number(const std::string& file);

}  // namespace wyvern
