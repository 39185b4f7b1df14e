// Processes with options, and other programs, on every node of a job.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "runtime/support/job.hpp"
#include "runtime/support/scenario_test.hpp"
#include "runtime/support/scratch_folder.hpp"

namespace wyvern::test {
namespace {

/// With a folder that goes with the test.
class ProcessOptionsTest : public ScenarioTest {
 protected:
  /// These lines once for each node.
  Lines on_each_node(const Lines& lines) const {
    Lines all;
    for (int node = 1; node <= nodes(); ++node) all.insert(all.end(), lines.begin(), lines.end());
    return all;
  }

  /// How an error says which node it was on.
  std::string on_node(int node) const { return has_nodes() ? " on node " + std::to_string(node) : ""; }

  const ScratchFolder scratch_;
  const std::string folder_ = scratch_.path();
};

TEST_P(ProcessOptionsTest, process_gets_name_environment_and_folder) {
  Lines expected;
  for (int node = 1; node <= nodes(); ++node) {
    expected.push_back("worker a=b new kept " + folder_);
    expected.push_back("worker 0 on node " + std::to_string(node) + " of " + std::to_string(node));
  }
  expected.emplace_back("job_program on node 0");
  EXPECT_EQ(in_promised_order(run({"surroundings", folder_})), in_promised_order(expected));
}

TEST_P(ProcessOptionsTest, output_goes_to_files_and_to_nowhere) {
  EXPECT_EQ(
      run({"output_to_files", folder_}),
      on_each_node({"out 1/out 2/err 1/err 2/", "out 1/out 2/out 1/out 2/", "out 1/err 1/out 2/err 2/"}));
  EXPECT_EQ(error(), "");
}

TEST_P(ProcessOptionsTest, input_comes_from_a_file_or_ends_at_once) {
  EXPECT_EQ(in_promised_order(run({"input_from_a_file", folder_})),
            in_promised_order(on_each_node({"read one", "read two", "end", "end"})));
}

TEST_P(ProcessOptionsTest, pipes_lead_to_who_starts_a_process_on_its_own_node) {
  EXPECT_EQ(run({"piped_through_a_process"}), (Lines{"1000 lines, then done/", "status 0 on node 1"}));
}

TEST_P(ProcessOptionsTest, pipes_that_nobody_takes_hold_up_no_end) {
  EXPECT_EQ(run({"pipes_that_nobody_takes"}), (Lines{"reader 0", "printer -13"}));
}

TEST_P(ProcessOptionsTest, what_is_not_there_is_spawn_failed_that_names_it) {
  const Lines lines = run({"files_that_are_not_there", folder_});
  ASSERT_EQ(lines.size(), 6U * static_cast<std::size_t>(nodes()));
  for (int node = 1; node <= nodes(); ++node) {
    const std::size_t line = 6U * static_cast<std::size_t>(node - 1);
    const std::string start = "cannot start " + std::string(JOB_PROGRAM) + on_node(node) + ": opening ";
    const std::string missing = folder_ + "/missing";
    const std::string why = ": No such file or directory";
    EXPECT_EQ(lines[line], "directory: " + start + "its working directory " + missing + why);
    EXPECT_EQ(lines[line + 1], "input: " + start + missing + "/file for its standard input" + why);
    EXPECT_EQ(lines[line + 2], "output: " + start + missing + "/file for its standard output" + why);
    EXPECT_EQ(lines[line + 3], "error: " + start + missing + "/file for its standard error" + why);
    EXPECT_TRUE(lines[line + 4].starts_with("first: ")) << lines[line + 4];
    EXPECT_EQ(lines[line + 5], "then 0");
  }
}

TEST_P(ProcessOptionsTest, fifo_that_nobody_reads_is_refused_and_not_waited_for) {
  const Lines lines = run({"output_to_a_fifo", folder_});
  ASSERT_EQ(lines.size(), 2U * static_cast<std::size_t>(nodes()));
  for (std::size_t line = 0; line < lines.size(); line += 2) {
    EXPECT_TRUE(lines[line].ends_with("/fifo for its standard output: No such device or address"))
        << lines[line];
    EXPECT_EQ(lines[line + 1], "100001 read, status 0");
  }
}

TEST_P(ProcessOptionsTest, options_that_cannot_be_are_invalid_argument) {
  const Lines lines = run({"options_that_cannot_be"});
  EXPECT_EQ(lines.size(), 10U);
  for (const std::string& line : lines) EXPECT_FALSE(line.ends_with("no exception")) << line;
}

TEST_P(ProcessOptionsTest, pipe_to_another_node_is_refused_with_what_to_do) {
  const std::string expected = has_nodes() ? "pipe: a pipe does not lead from node 1 to node 2: start the "
                                             "process on this node, or let it use a queue or a file"
                                           : "pipe: there is no node 2: this job has one node, and nodes "
                                             "count from 1";
  EXPECT_EQ(run({"pipe_to_another_node"}), (Lines{expected}));
}

TEST_P(ProcessOptionsTest, other_programs_run_with_arguments_status_and_signals) {
  const std::string no_file = folder_ + "/no-such-program";
  Lines expected;
  for (int node = 1; node <= nodes(); ++node) {
    const auto refused = [&](const std::string& program, const std::string& why) {
      return "refused: cannot start " + program + on_node(node) + ": cannot execute '" + program +
             "': " + why;
    };
    const Lines lines{
        "found in PATH 42",
        "by path -9",
        "script: 2: a b: c: v",
        "script 3",
        refused("no-such-program",
                "there is no such program in PATH; for one in this folder write ./no-such-program"),
        refused(no_file, "No such file or directory"),
        refused(folder_, "Is a directory")};
    expected.insert(expected.end(), lines.begin(), lines.end());
  }
  expected.insert(expected.end(), {"script: 0: : :", "relative 3"});
  EXPECT_EQ(in_promised_order(run({"programs", folder_})), in_promised_order(expected));
}

TEST_P(ProcessOptionsTest, other_program_that_runs_wyvern_is_a_member_that_starts_processes) {
  Lines lines = run({"programs_that_join"});
  const auto said_by_programs = std::stable_partition(
      lines.begin(), lines.end(), [](const std::string& line) { return line.starts_with("status "); });
  EXPECT_EQ(Lines(lines.begin(), said_by_programs), on_each_node({"status 0", "status 7"}));

  const auto children_of = [&](const std::string& parent) {
    Lines children;
    for (auto line = said_by_programs; line != lines.end(); ++line) {
      if (line->ends_with(" parent " + parent)) children.push_back(line->substr(0, line->find(' ')));
    }
    return children;
  };
  const Lines programs = children_of("4294967296");
  EXPECT_EQ(programs.size(), static_cast<std::size_t>(nodes()));
  for (const std::string& program : programs) EXPECT_EQ(children_of(program).size(), 1U) << program;
  EXPECT_EQ(lines.end() - said_by_programs, 2 * nodes());
}

TEST_P(ProcessOptionsTest, signals_reach_an_other_program_and_what_it_has_started) {
  EXPECT_EQ(run({"kill_a_program"}), (Lines{"both are alive", "status -9", "grandchild gone"}));
}

INSTANTIATE_TEST_SUITE_P(Run, ProcessOptionsTest, every_way(),
                         [](const auto& how) { return name_of(how.param); });

}  // namespace
}  // namespace wyvern::test
