// What is left when processes of a job are killed in the middle of its work: nothing.
#include <signal.h>

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/runtime/agent/job_cgroup.hpp>

#include "runtime/support/job.hpp"

namespace wyvern::test {
namespace {

class DeathTest : public testing::TestWithParam<Job::How> {
 protected:
  DeathTest() : job_(GetParam(), {JOB_PROGRAM, "crowd"}) {}

  void SetUp() override {
    ASSERT_TRUE(job_.output_has("all at work\n")) << job_.error();
    socket_ = job_.socket_name();
    ASSERT_TRUE(socket_.starts_with("wyvern-"));
    ASSERT_GE(job_.processes().size(), 18U);
  }

  /// Where all were killed, the next job would do it.
  void TearDown() override { agent::JobCgroup::end_left_over(); }

  /// Kills these at once, and waits until nothing is left. How long that took is in the test's report.
  void expect_nothing_left_after_killing(const std::vector<pid_t>& victims) {
    const auto start = std::chrono::steady_clock::now();
    for (const pid_t victim : victims) {
      ASSERT_NE(victim, 0);
      ::kill(victim, SIGKILL);
    }
    EXPECT_TRUE(eventually([&] { return job_.gone(socket_); }));
    const auto taken = std::chrono::steady_clock::now() - start;
    RecordProperty("milliseconds",
                   static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(taken).count()));
  }

  Job job_;
  std::string socket_;
};

TEST_P(DeathTest, nothing_is_left_after_the_first_process_was_killed) {
  expect_nothing_left_after_killing({job_.pid()});  // the launcher, or the head
}

TEST_P(DeathTest, nothing_is_left_after_the_head_was_killed) {
  expect_nothing_left_after_killing({job_.head()});
  if (GetParam() == Job::How::launched) {
    EXPECT_EQ(job_.wait(), 128 + SIGKILL);
    EXPECT_EQ(job_.output_lines().back(), "+++ head proc exited, code -9");
  }
}

TEST_P(DeathTest, nothing_is_left_after_the_agent_was_killed) {
  expect_nothing_left_after_killing({job_.agent()});
  job_.wait();
  EXPECT_NE(job_.error().find("agent"), std::string::npos) << "somebody says why";
}

TEST_P(DeathTest, nothing_is_left_after_all_were_killed_at_once) {
  std::vector<pid_t> all;
  for (const SeenProcess& process : job_.processes()) all.push_back(process.pid);
  expect_nothing_left_after_killing(all);
}

TEST_P(DeathTest, nothing_is_left_after_the_agent_was_asked_to_end) {
  ::kill(job_.agent(), SIGTERM);
  EXPECT_TRUE(eventually([&] { return job_.gone(socket_); }));
}

INSTANTIATE_TEST_SUITE_P(Run, DeathTest, testing::Values(Job::How::direct, Job::How::launched),
                         [](const auto& how) { return name_of(how.param); });

}  // namespace
}  // namespace wyvern::test
