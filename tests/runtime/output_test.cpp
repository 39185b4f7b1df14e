// What becomes of what processes print, from end to end.
#include <signal.h>

#include <map>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "runtime/support/job.hpp"

namespace wyvern::test {
namespace {

class OutputTest : public testing::TestWithParam<Job::How> {};

/// Checks "process P line I ..." lines: all there, whole, in order per process. Returns the number of
/// processes.
std::size_t check_lines(const std::string& text, int lines_each, int step, bool padded) {
  std::map<std::string, int> next;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("+++")) continue;
    std::istringstream words(line);
    std::string process;
    std::string puid;
    std::string word;
    int number = -1;
    words >> process >> puid >> word >> number;
    EXPECT_EQ(process, "process") << line;
    EXPECT_EQ(number, next[puid]) << line;
    next[puid] += step;
    if (padded) {
      EXPECT_TRUE(line.ends_with(" " + std::string(static_cast<std::size_t>(number * 7 % 300), 'x'))) << line;
    }
  }
  for (const auto& [puid, count] : next) EXPECT_EQ(count, lines_each) << puid;
  return next.size();
}

TEST_P(OutputTest, lines_of_fifty_processes_are_whole_and_go_to_their_stream) {
  Job job(GetParam(), {JOB_PROGRAM, "lines", "50", "200"});
  EXPECT_EQ(job.wait(), 0);
  EXPECT_EQ(check_lines(job.output(), 200, 1, true), 50U);
  EXPECT_EQ(check_lines(job.error(), 200, 5, false), 50U);
}

TEST_P(OutputTest, what_a_process_printed_is_forwarded_before_it_is_joined) {
  Job job(GetParam(), {JOB_PROGRAM, "printed_before_join"});
  EXPECT_EQ(job.wait(), 0);
  std::string expected;
  for (int i = 0; i < 20; ++i) {
    // Under the launcher the head's own output takes the same way, through another pipe.
    expected += "child " + std::to_string(i) + "\njoined " + std::to_string(i) + "\n";
  }
  EXPECT_EQ(job.output().substr(0, expected.size()), expected);
}

TEST_P(OutputTest, missing_end_of_the_last_line_is_added) {
  Job job(GetParam(), {JOB_PROGRAM, "unfinished_line"});
  EXPECT_EQ(job.wait(), 0);
  EXPECT_EQ(job.output().substr(0, 12), "no end\nnext\n");
}

TEST_P(OutputTest, line_comes_while_its_process_goes_on) {
  Job job(GetParam(), {JOB_PROGRAM, "timely_lines"});
  EXPECT_TRUE(job.output_has("printed early\n"));
}

TEST_P(OutputTest, blocked_stdout_stops_nobody_but_who_prints) {
  Job job(GetParam(), {JOB_PROGRAM, "blocked_stdout"}, {.read_output = false});
  EXPECT_TRUE(job.error_has("echo 0 printer -9\n"));
  job.start_reading();
  EXPECT_EQ(job.wait(), 0);
}

TEST_P(OutputTest, closed_standard_streams_are_taken_by_nothing_else) {
  const std::string launcher = GetParam() == Job::How::launched ? std::string(WYVERN_COMMAND) + " run " : "";
  const std::string command = launcher + JOB_PROGRAM + " lines 3 200";
  for (const char* closed : {" <&-", " >&-", " 2>&-", " <&- >&- 2>&-"}) {
    Job job(Job::How::direct, {"/bin/sh", "-c", command + closed + "; exit $?"});
    EXPECT_EQ(job.wait(), 0) << closed << job.error();
  }
}

INSTANTIATE_TEST_SUITE_P(Run, OutputTest, testing::Values(Job::How::direct, Job::How::launched),
                         [](const auto& how) { return name_of(how.param); });

}  // namespace
}  // namespace wyvern::test
