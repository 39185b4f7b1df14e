// Programs that use wyvern::run, from end to end: run directly and under `wyvern run`.
#include "runtime/support/job.hpp"

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/support/scenario_test.hpp"

namespace wyvern::test {
namespace {

class JobTest : public ScenarioTest {};

TEST_P(JobTest, puids_count_up_from_2_to_the_32_in_order_of_start) {
  const Lines lines = in_promised_order(run({"puids", "3"}));
  const std::string child = " parent 4294967296";
  if (has_nodes()) {
    EXPECT_EQ(lines, (Lines{"12884901889" + child, "4294967296 parent 0", "4294967297" + child,
                            "8589934593" + child}));
  } else {
    EXPECT_EQ(lines, (Lines{"4294967296 parent 0", "4294967297" + child, "4294967298" + child,
                            "4294967299" + child}));
  }
}

TEST_P(JobTest, join_returns_status_or_minus_signal_any_number_of_times) {
  EXPECT_EQ(run({"exit_statuses"}), (Lines{"exit 0 0 0", "exit 1 1 1", "exit 42 42 42", "exit 255 255 255",
                                           "signal -15", "signal -6", "signal -11"}));
}

TEST_P(JobTest, kill_reaches_grandchildren_in_the_process_group) {
  EXPECT_EQ(run({"kill_group"}), (Lines{"alive", "not in time", "status -9", "dead", "grandchild gone"}));
}

TEST_P(JobTest, terminate_ends_a_process_and_has_no_effect_afterwards) {
  EXPECT_EQ(run({"terminate"}), (Lines{"status -15"}));
}

TEST_P(JobTest, destructor_joins_unless_detached) {
  EXPECT_EQ(run({"destructor_joins"}),
            (Lines{"the first has ended", "the second has ended", "the detached one goes on"}));
}

TEST_P(JobTest, misuse_of_processes_is_invalid_argument) {
  for (const std::string& line : run({"misuse"})) EXPECT_TRUE(line.ends_with(": refused")) << line;
}

TEST_P(JobTest, second_run_in_a_process_is_refused) {
  EXPECT_EQ(run({"run_twice"}).at(0), "second run refused");
}

TEST_P(JobTest, any_process_joins_any_other_by_puid) {
  EXPECT_EQ(run({"join_by_puid"}), (Lines{"joined -9"}));
}

TEST_P(JobTest, queue_handle_is_usable_two_levels_down_when_its_sender_has_gone) {
  EXPECT_EQ(run({"nested"}), (Lines{"from 4294967298 started by 4294967297"}));
}

TEST_P(JobTest, plain_fork_of_a_member_is_not_a_member) {
  EXPECT_EQ(run({"fork_is_no_member"}), (Lines{"puid: refused", "put: refused", "make_queue: refused",
                                               "process: refused", "parent got 1"}));
}

TEST_P(JobTest, start_that_fails_says_why_and_can_be_tried_again) {
  const std::filesystem::path copy =
      std::filesystem::temp_directory_path() / ("wyvern_" + std::to_string(::getpid()));
  std::filesystem::copy_file(JOB_PROGRAM, copy);
  Job job(GetParam(), {copy.string(), "spawn_failed"});
  EXPECT_EQ(job.wait(), 0) << job.error();
  std::filesystem::remove(copy);
  const auto lines = job.output_lines();
  ASSERT_GE(lines.size(), 3U);
  EXPECT_EQ(lines[0], "cannot start " + copy.string() + (has_nodes() ? " on node 1" : "") +
                          ": executing it: Permission denied");
  EXPECT_EQ(lines[1], "puid: refused");
  EXPECT_EQ(lines[2], has_nodes() ? "status 0 of 8589934593" : "status 0 of 4294967298");
}

TEST_P(JobTest, process_gets_environment_folder_name_and_empty_stdin) {
  EXPECT_EQ(run({"inheritance", "hello"}), (Lines{"yes /usr job_program hello", "stdin ends -1"}));
}

TEST_P(JobTest, uncaught_exception_in_a_process_is_printed_and_the_status_is_1) {
  EXPECT_EQ(run({"throw_in_process"}), (Lines{"status 1", "status 1"}));
  EXPECT_NE(error().find("wyvern: process 4294967297: uncaught wyvern::QueueClosed: a process's mistake\n"),
            std::string::npos)
      << error();
  const std::string second = has_nodes() ? "8589934593" : "4294967298";
  EXPECT_NE(error().find("wyvern: process " + second + ": uncaught wyvern::test::"), std::string::npos)
      << error();
}

TEST_P(JobTest, uncaught_exception_in_the_head_is_printed_and_the_status_is_1) {
  run({"throw_in_head"}, 1);
  EXPECT_EQ(error(), "wyvern: process 4294967296: uncaught std::runtime_error: a head's mistake\n");
}

TEST_P(JobTest, sixty_four_processes_get_one_message_each) { run({"many", "64"}); }

TEST_P(JobTest, stopped_process_holds_up_nobody) {
  EXPECT_EQ(run({"stopped"}), (Lines{"got 1000, worker 0", "sleeper -9"}));
}

TEST_P(JobTest, queue_is_opened_by_name_when_it_comes_to_be) {
  EXPECT_EQ(run({"by_name"}), (Lines{"got 17", "another type is refused"}));
}

TEST_P(JobTest, job_waits_for_processes_when_the_head_returns) {
  EXPECT_EQ(run({"returns_early"}, 3), (Lines{"the child has finished"}));
}

TEST_P(JobTest, detached_process_ends_with_the_job) { run({"detached"}, 4); }

TEST_P(JobTest, detached_process_is_asked_before_it_is_ended) {
  EXPECT_EQ(run({"detached_one_tidies_up"}), (Lines{"asked to end by 15"}));
}

TEST_P(JobTest, processes_that_ignore_signals_and_orphans_end_with_the_job) {
  EXPECT_EQ(run({"stubborn"}, 5), (Lines{"ready"}));
}

TEST_P(JobTest, exit_in_the_head_ends_the_job) { run({"exit_inside"}, 7); }

TEST_P(JobTest, head_that_ends_ends_its_fibers_before) {
  const Lines one_each(2, "a fiber was ended");
  EXPECT_EQ(run({"leaves_fibers_behind"}, 6), one_each);
  EXPECT_EQ(run({"exits_with_fibers"}, 6), one_each);
}

TEST_P(JobTest, exec_in_the_head_ends_the_job) { run({"exec_inside"}, 0); }

TEST_P(JobTest, memory_too_small_for_a_node_is_an_error_that_says_so) {
  // Often: the agent ends at about the moment at which the first process asks it for something.
  for (int i = 0; i < 20; ++i) {
    Job job(GetParam(), {JOB_PROGRAM, "nested"}, {.environment = {{"WYVERN_MEMORY", "4K"}}});
    EXPECT_NE(job.wait(), 0);
    EXPECT_NE(job.error().find("more than the memory ceiling of "), std::string::npos) << job.error();
  }
}

TEST_P(JobTest, wrong_memory_variable_is_an_error) {
  Job job(GetParam(), {JOB_PROGRAM, "puids", "0"}, {.environment = {{"WYVERN_MEMORY", "a lot"}}});
  EXPECT_NE(job.wait(), 0);
  EXPECT_NE(job.error().find("WYVERN_MEMORY: 'a lot' is not an amount of memory"), std::string::npos)
      << job.error();
}

TEST_P(JobTest, queue_demo_prints_true_results) {
  Job job(GetParam(), {QUEUE_DEMO});
  EXPECT_EQ(job.wait(), 0) << job.error();
  int producers = 0;
  int consumers = 0;
  for (const std::string& line : job.output_lines()) {
    producers += line.starts_with("I am producer ") ? 1 : 0;
    consumers += line.starts_with("I am consumer ") ? 1 : 0;
    EXPECT_TRUE(line.ends_with(" ") || line.starts_with("+++")) << line;
  }
  EXPECT_EQ(producers, 8);
  EXPECT_EQ(consumers, 8);
}

INSTANTIATE_TEST_SUITE_P(Run, JobTest, every_way(), [](const auto& how) { return name_of(how.param); });

}  // namespace
}  // namespace wyvern::test
