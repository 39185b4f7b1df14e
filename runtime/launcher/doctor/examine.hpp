#pragma once

#include <iosfwd>
#include <vector>

#include <wyvern/runtime/launcher/command_line.hpp>
#include <wyvern/runtime/launcher/doctor/finding.hpp>

namespace wyvern::launcher {

/// `wyvern doctor`: makes all checks and prints what they have found. The exit status: 0, or 1 if there is a
/// problem.
int examine(const DoctorOptions& options);

/// A line for each, and one more with the fix for a problem.
void print_findings(std::ostream& out, const std::vector<Finding>& findings, bool coloured);

}  // namespace wyvern::launcher
