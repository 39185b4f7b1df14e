#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/support/job.hpp"
#include "support/sanitizers.hpp"

namespace wyvern::test {

using Lines = std::vector<std::string>;

/// A scenario of job_program, run directly, under the launcher, and on four nodes.
class ScenarioTest : public testing::TestWithParam<Job::How> {
 protected:
  /// What it printed, without the launcher's last line. Nothing of the job is left then.
  Lines run(Lines scenario, int expected_status = 0);
  /// The same of another program.
  Lines run_command(Lines command, int expected_status = 0);

  /// Processes go over the nodes in turns, then.
  bool has_nodes() const { return GetParam() == Job::How::four_nodes; }
  int nodes() const { return has_nodes() ? 4 : 1; }
  /// For what several processes print, one after another. On one node that order is promised, as the output
  /// of a process has been forwarded when it is joined; between nodes it is not, so these lines are sorted.
  Lines in_promised_order(Lines lines) const;
  /// Of the last run.
  const std::string& error() const { return error_; }

 private:
  std::string error_;
};

/// To instantiate it with. What a launcher does for one node it does for four as well.
inline auto every_way() {
  std::vector<Job::How> ways{Job::How::direct, Job::How::four_nodes};
  if (!is_sanitized) ways.push_back(Job::How::launched);
  return testing::ValuesIn(ways);
}

}  // namespace wyvern::test
