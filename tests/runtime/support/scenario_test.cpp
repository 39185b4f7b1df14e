#include "runtime/support/scenario_test.hpp"

#include <algorithm>
#include <utility>

namespace wyvern::test {

Lines ScenarioTest::run(Lines scenario, int expected_status) {
  scenario.insert(scenario.begin(), JOB_PROGRAM);
  return run_command(std::move(scenario), expected_status);
}

Lines ScenarioTest::run_command(Lines command, int expected_status) {
  Job job(GetParam(), std::move(command));
  const int status = job.wait();
  error_ = job.error();
  EXPECT_EQ(status, expected_status) << job.output() << error_;
  auto lines = job.output_lines();
  if (GetParam() != Job::How::direct && !lines.empty()) {
    EXPECT_EQ(lines.back(), "+++ head proc exited, code " + std::to_string(expected_status));
    lines.pop_back();
  }
  EXPECT_TRUE(eventually([&] { return job.gone(""); }));
  return lines;
}

Lines ScenarioTest::in_promised_order(Lines lines) const {
  if (has_nodes()) std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace wyvern::test
