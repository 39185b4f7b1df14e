#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <wyvern/runtime/launcher/jobs/job_sample.hpp>

namespace wyvern::launcher {

/// How people are shown jobs.
struct TableStyle {
  /// Rates in the place of counts, busy queues first.
  bool rates = false;
  /// Lines that there is room for, and characters of each; what does not fit is left out and counted.
  std::size_t lines = static_cast<std::size_t>(-1);
  std::size_t columns = static_cast<std::size_t>(-1);
  /// Queues whose producers wait, or that have lost messages, are red.
  bool coloured = false;
};

/// Lines without their ends. Names are shown with a question mark for what would work on a terminal.
std::vector<std::string> job_table(const std::vector<JobSample>& jobs, const TableStyle& style);

}  // namespace wyvern::launcher
