// The `wyvern` command, from end to end.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/support/job.hpp"

namespace wyvern::test {
namespace {

constexpr auto launched = Job::How::launched;
using Lines = std::vector<std::string>;

/// Runs the command itself, with these arguments.
struct Command {
  explicit Command(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), WYVERN_COMMAND);
    Job job(Job::How::direct, std::move(arguments));
    status = job.wait();
    output = job.output();
    error = job.error();
  }
  int status = 0;
  std::string output;
  std::string error;
};

TEST(Launcher, exits_with_the_status_of_the_head) {
  for (const int status : {0, 1, 42, 255}) {
    Job job(launched, {"/bin/sh", "-c", "exit " + std::to_string(status)});
    EXPECT_EQ(job.wait(), status);
    EXPECT_EQ(job.output(), "+++ head proc exited, code " + std::to_string(status) + "\n");
    EXPECT_EQ(job.error(), "");
  }
}

TEST(Launcher, exits_with_128_plus_the_signal_that_killed_the_head) {
  for (const int number : {SIGKILL, SIGTERM, SIGSEGV}) {
    Job job(launched, {JOB_PROGRAM, "head_signal", std::to_string(number)});
    EXPECT_EQ(job.wait(), 128 + number);
    EXPECT_EQ(job.output(), "+++ head proc exited, code -" + std::to_string(number) + "\n");
  }
}

TEST(Launcher, gives_its_stdin_to_the_head) {
  Job job(launched, {"cat"}, {.input = "one\ntwo\nno end"});
  EXPECT_EQ(job.wait(), 0);
  EXPECT_EQ(job.output(), "one\ntwo\nno end\n+++ head proc exited, code 0\n");
}

TEST(Launcher, finds_programs_in_path_and_runs_scripts) {
  Job job(launched, {"sh", "-c", "echo \"$0\" '[a,b]' --label -- \"$@\"", "name", "--memory", "--"});
  EXPECT_EQ(job.wait(), 0);
  EXPECT_EQ(job.output_lines().at(0), "name [a,b] --label -- --memory --");
}

TEST(Launcher, option_like_arguments_are_the_programs_without_a_double_dash_too) {
  const Command command({"run", "--label", "echo", "--label", "--help", "[x,y]", "--"});
  EXPECT_EQ(command.output, "[4294967296] --label --help [x,y] --\n+++ head proc exited, code 0\n");
}

TEST(Launcher, label_names_the_process_before_each_line) {
  Job job(launched, {JOB_PROGRAM, "puids", "1"}, {.launcher_options = {"--label"}});
  EXPECT_EQ(job.wait(), 0);
  EXPECT_EQ(job.output_lines(),
            (Lines{"[4294967296] 4294967296 parent 0", "[4294967297] 4294967297 parent 4294967296",
                   "+++ head proc exited, code 0"}));
}

TEST(Launcher, wrong_use_is_one_sentence_and_status_2) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"fly"},
      {"run"},
      {"run", "--"},
      {"run", "--bogus", "true"},
      {"run", "--memory"},
      {"run", "--memory", "much", "true"},
      {"run", "--memory", "-1", "true"},
      {"run", "--memory", "4K", "true"},
      {"run", "--nodes"},
      {"run", "--nodes", "0", "true"},
      {"run", "--nodes", "65", "true"},
      {"run", "--nodes", "-1", "true"},
      {"run", "--nodes", "2x", "true"},
      {"run", "--nodes", "", "true"},
      {"run", "--provider", "tcp", "true"},
      {"run", "--nodes", "1", "--provider", "tcp", "true"},
      {"run", "--nodes", "2", "--provider"},
      {"run", "--nodes", "2", "--provider", "", "true"},
      {"run", "--nodes", "2", "--provider", "no_such_provider", "true"},
      {"run", "--nodes", "2", "--provider", "sockets", "true"},
      {"run", "--", "no_such_program_anywhere"},
      {"run", "--", "./no/such/program"},
      {"run", "--", "/etc/passwd"},
      {"run", "--", "/"},
  };
  for (const auto& arguments : wrong) {
    const Command command(arguments);
    EXPECT_EQ(command.status, 2) << testing::PrintToString(arguments);
    EXPECT_EQ(command.output, "") << testing::PrintToString(arguments);
    EXPECT_TRUE(command.error.starts_with("wyvern: ")) << command.error;
    EXPECT_EQ(std::count(command.error.begin(), command.error.end(), '\n'), 1) << command.error;
  }
}

TEST(Launcher, help_and_version_go_to_stdout_with_status_0) {
  for (const auto& arguments : {Lines{"--help"}, Lines{"run", "--help"}, Lines{"--version"}}) {
    const Command command(arguments);
    EXPECT_EQ(command.status, 0);
    EXPECT_EQ(command.error, "");
    EXPECT_NE(command.output.find("wyvern"), std::string::npos) << command.output;
  }
}

TEST(Launcher, programs_of_a_script_are_the_head_one_after_another) {
  const std::string program = std::string(JOB_PROGRAM) + " puids 1; ";
  Job job(launched, {"sh", "-c", program + program + "exit 9"});
  EXPECT_EQ(job.wait(), 9);
  EXPECT_EQ(job.output_lines(),
            (Lines{"4294967296 parent 0", "4294967297 parent 4294967296", "4294967296 parent 0",
                   "4294967298 parent 4294967296", "+++ head proc exited, code 9"}));
}

TEST(Launcher, program_that_the_head_runs_joins_the_job_with_a_puid_of_its_own) {
  Job job(launched, {JOB_PROGRAM, "join_by_environment"});
  EXPECT_EQ(job.wait(), 0) << job.error();
  EXPECT_EQ(job.output_lines(),
            (Lines{"4294967296 parent 0", "4294967297 parent 4294967296", "+++ head proc exited, code 0"}));
}

TEST(Launcher, passes_signals_on_to_the_job) {
  for (const int number : {SIGINT, SIGTERM}) {
    Job job(launched, {JOB_PROGRAM, "heeds_signals"});
    ASSERT_TRUE(job.output_has("ready\n"));
    ::kill(job.pid(), number);
    EXPECT_EQ(job.wait(), number);
    EXPECT_EQ(job.output_lines(), (Lines{"ready", "process got " + std::to_string(number),
                                         "+++ head proc exited, code " + std::to_string(number)}));
  }
}

TEST(Launcher, second_signal_kills_the_job) {
  Job job(launched, {JOB_PROGRAM, "heeds_nothing"});
  ASSERT_TRUE(job.output_has("ready\n"));
  ::kill(job.pid(), SIGTERM);
  ::usleep(20'000);  // two signals of one kind that come at once are one
  ::kill(job.pid(), SIGTERM);
  EXPECT_EQ(job.wait(), 128 + SIGKILL);
  EXPECT_TRUE(job.gone(""));
}

TEST(Launcher, signal_that_is_not_heeded_kills_after_the_grace_period) {
  Job job(launched, {JOB_PROGRAM, "heeds_nothing"});
  ASSERT_TRUE(job.output_has("ready\n"));
  ::kill(job.pid(), SIGINT);
  EXPECT_EQ(job.wait(), 128 + SIGKILL);
}

TEST(Launcher, reader_that_has_gone_ends_who_prints_for_ever) {
  Job job(
      Job::How::direct,
      {"/bin/sh", "-c", std::string(WYVERN_COMMAND) + " run " + JOB_PROGRAM + " print_for_ever | head -2"});
  EXPECT_EQ(job.wait(), 0);
  EXPECT_EQ(job.output(), "line\nline\n");
  EXPECT_EQ(job.error(), "printer ended with -13\n");
}

}  // namespace
}  // namespace wyvern::test
