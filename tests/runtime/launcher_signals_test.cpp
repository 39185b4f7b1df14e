// How a user ends a job before it has ended itself: signals, the terminal, a limit of time.
#include <signal.h>

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/support/job.hpp"

namespace wyvern::test {
namespace {

using Lines = std::vector<std::string>;

constexpr const char* interrupt_key = "\003";  // Ctrl-C

class LauncherSignals : public testing::TestWithParam<Job::How> {
 protected:
  static Job::Options at_a_terminal() { return {.terminal = true}; }
};

INSTANTIATE_TEST_SUITE_P(All, LauncherSignals, testing::Values(Job::How::launched, Job::How::four_nodes),
                         [](const auto& tested) { return name_of(tested.param); });

TEST_P(LauncherSignals, first_one_is_passed_on_to_the_processes) {
  for (const int number : {SIGINT, SIGTERM}) {
    Job job(GetParam(), {JOB_PROGRAM, "heeds_signals"});
    ASSERT_TRUE(job.output_has("ready\n"));
    ::kill(job.pid(), number);
    EXPECT_EQ(job.wait(), number);
    EXPECT_EQ(job.output_lines(), (Lines{"ready", "process got " + std::to_string(number),
                                         "+++ head proc exited, code " + std::to_string(number)}));
  }
}

TEST_P(LauncherSignals, second_one_kills_the_job) {
  Job job(GetParam(), {JOB_PROGRAM, "heeds_nothing"});
  ASSERT_TRUE(job.output_has("ready\n"));
  ::kill(job.pid(), SIGTERM);
  ::kill(job.pid(), SIGINT);  // of another kind: two of one kind that come at once are one
  EXPECT_EQ(job.wait(), 128 + SIGKILL);
  EXPECT_EQ(job.output_lines().back(), "+++ head proc exited, code -9");
  EXPECT_TRUE(job.gone(""));
}

TEST_P(LauncherSignals, one_that_is_not_heeded_kills_after_the_grace_period) {
  Job job(GetParam(), {JOB_PROGRAM, "heeds_nothing"});
  ASSERT_TRUE(job.output_has("ready\n"));
  ::kill(job.pid(), SIGINT);
  EXPECT_EQ(job.wait(), 128 + SIGKILL);
  EXPECT_TRUE(job.gone(""));
}

TEST_P(LauncherSignals, ctrl_c_reaches_the_head_once_and_the_processes_once) {
  Job job(GetParam(), {JOB_PROGRAM, "counts_interrupts"}, at_a_terminal());
  ASSERT_TRUE(job.output_has("ready\n")) << job.error();
  job.type(interrupt_key);
  EXPECT_EQ(job.wait(), 0) << job.error();
  EXPECT_EQ(job.output_lines(),
            (Lines{"ready", "process got 1", "head got 1", "+++ head proc exited, code 0"}));
}

TEST_P(LauncherSignals, ctrl_c_twice_ends_what_a_shell_runs_in_a_pipe) {
  Job job(GetParam(), {JOB_PROGRAM, "stubborn_shell"}, at_a_terminal());
  ASSERT_TRUE(job.output_has("ready\n")) << job.error();
  job.type(interrupt_key);
  // The terminal says it when it has sent the first; two that come at once are one.
  ASSERT_TRUE(job.error_has("^C"));
  ASSERT_TRUE(job.output_has("interrupted\n")) << job.output();
  job.type(interrupt_key);
  EXPECT_EQ(job.wait(), 128 + SIGKILL);
  EXPECT_TRUE(job.gone(""));
}

TEST_P(LauncherSignals, ctrl_c_once_ends_programs_that_know_nothing_of_it) {
  Job job(GetParam(), {"sh", "-c", "echo ready; sleep 1000 | cat"}, at_a_terminal());
  ASSERT_TRUE(job.output_has("ready\n")) << job.error();
  job.type(interrupt_key);
  EXPECT_EQ(job.wait(), 128 + SIGINT);
  EXPECT_TRUE(job.gone(""));
}

TEST_P(LauncherSignals, head_reads_from_the_terminal) {
  Job job(GetParam(), {"sh", "-c", "read line; echo \"got $line\""}, at_a_terminal());
  job.type("hello\n");
  EXPECT_EQ(job.wait(), 0);
  EXPECT_EQ(job.output_lines(), (Lines{"got hello", "+++ head proc exited, code 0"}));
}

TEST_P(LauncherSignals, job_that_takes_longer_than_its_timeout_is_asked_to_end) {
  Job job(GetParam(), {"sleep", "1000"}, {.launcher_options = {"--timeout", "500ms"}});
  EXPECT_EQ(job.wait(), 128 + SIGTERM);
  EXPECT_EQ(job.output(), "+++ head proc exited, code -15\n");
  EXPECT_EQ(job.error(),
            "wyvern: the job has not ended within the time that --timeout gives it, and is ended\n");
}

TEST_P(LauncherSignals, job_that_does_not_heed_its_timeout_is_killed_after_the_grace_period) {
  // It may have been asked before it heeds nothing: then it has not said "ready", and gets more time.
  for (int seconds = 1;; seconds *= 2) {
    Job job(GetParam(), {JOB_PROGRAM, "heeds_nothing"},
            {.launcher_options = {"--timeout", std::to_string(seconds)}});
    const int status = job.wait();
    EXPECT_TRUE(job.gone(""));
    if (!job.output().starts_with("ready\n") && seconds < 64) continue;
    EXPECT_EQ(status, 128 + SIGKILL);
    break;
  }
}

TEST_P(LauncherSignals, job_that_ends_in_time_is_not_touched_by_its_timeout) {
  Job job(GetParam(), {"sh", "-c", "exit 3"}, {.launcher_options = {"--timeout", "1h"}});
  EXPECT_EQ(job.wait(), 3);
  EXPECT_EQ(job.error(), "");
}

TEST(LauncherTerminal, errors_are_coloured_there_and_without_NO_COLOR_only) {
  struct Case {
    bool terminal;
    std::string no_color;
    bool coloured;
  };
  for (const Case& at : {Case{true, "", true}, Case{true, "1", false}, Case{false, "", false}}) {
    Job job(Job::How::direct, {WYVERN_COMMAND, "fly"},
            {.environment = {{"TERM", "xterm"}, {"NO_COLOR", at.no_color}}, .terminal = at.terminal});
    EXPECT_EQ(job.wait(), 2);
    EXPECT_EQ(job.error().find('\033') != std::string::npos, at.coloured) << job.error();
  }
}

}  // namespace
}  // namespace wyvern::test
