// The `wyvern` command, from end to end.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/support/command.hpp"
#include "runtime/support/job.hpp"

namespace wyvern::test {
namespace {

constexpr auto launched = Job::How::launched;
using Lines = std::vector<std::string>;

using OnNodes = testing::TestWithParam<Job::How>;

TEST_P(OnNodes, launcher_exits_with_the_status_of_the_head) {
  for (const int status : {0, 1, 42, 255}) {
    Job job(GetParam(), {"/bin/sh", "-c", "exit " + std::to_string(status)});
    EXPECT_EQ(job.wait(), status);
    EXPECT_EQ(job.output(), "+++ head proc exited, code " + std::to_string(status) + "\n");
    EXPECT_EQ(job.error(), "");
  }
}

TEST_P(OnNodes, launcher_exits_with_128_plus_the_signal_that_killed_the_head) {
  for (const int number : {SIGKILL, SIGTERM, SIGSEGV}) {
    Job job(GetParam(), {JOB_PROGRAM, "head_signal", std::to_string(number)});
    EXPECT_EQ(job.wait(), 128 + number);
    EXPECT_EQ(job.output(), "+++ head proc exited, code -" + std::to_string(number) + "\n");
  }
}

TEST_P(OnNodes, launcher_gives_its_stdin_to_the_head) {
  Job job(GetParam(), {"cat"}, {.input = "one\ntwo\nno end"});
  EXPECT_EQ(job.wait(), 0);
  EXPECT_EQ(job.output(), "one\ntwo\nno end\n+++ head proc exited, code 0\n");
}

TEST_P(OnNodes, program_that_the_kernel_does_not_execute_is_one_sentence_and_status_2) {
  for (const char* content : {"neither a program nor a script", "#!/no/such/interpreter\n"}) {
    const std::string path = testing::TempDir() + "wyvern_program_" + std::to_string(::getpid());
    std::ofstream(path) << content;
    ::chmod(path.c_str(), 0755);
    Job job(GetParam(), {path});
    EXPECT_EQ(job.wait(), 2);
    EXPECT_EQ(job.output(), "");
    EXPECT_TRUE(job.error().starts_with("wyvern: cannot execute '" + path + "': ")) << job.error();
    EXPECT_EQ(std::ranges::count(job.error(), '\n'), 1) << job.error();
    EXPECT_TRUE(job.gone(""));
    ::unlink(path.c_str());
  }
}

INSTANTIATE_TEST_SUITE_P(All, OnNodes, testing::Values(launched, Job::How::four_nodes),
                         [](const auto& tested) { return name_of(tested.param); });

TEST(Launcher, finds_programs_in_path_and_runs_scripts) {
  Job job(launched, {"sh", "-c", "echo \"$0\" '[a,b]' --label -- \"$@\"", "name", "--memory", "--"});
  EXPECT_EQ(job.wait(), 0);
  EXPECT_EQ(job.output_lines().at(0), "name [a,b] --label -- --memory --");
}

TEST(Launcher, option_like_arguments_are_the_programs_without_a_double_dash_too) {
  const Command command({"run", "--label", "echo", "--label", "--help", "[x,y]", "--"});
  EXPECT_EQ(command.output, "[4294967296] --label --help [x,y] --\n+++ head proc exited, code 0\n");
}

TEST(Launcher, what_follows_a_double_dash_is_the_program_whatever_it_looks_like) {
  for (const char* program : {"--label", "--help", "--"}) {
    const Command command({"run", "--", program});
    EXPECT_EQ(command.status, 2);
    EXPECT_EQ(command.error.rfind("wyvern: cannot execute '" + std::string(program) + "'", 0), 0U)
        << command.error;
  }
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
      {"run", "--timeout"},
      {"run", "--timeout", "", "true"},
      {"run", "--timeout", "0", "true"},
      {"run", "--timeout", "-1", "true"},
      {"run", "--timeout", "soon", "true"},
      {"run", "--timeout", "5 s", "true"},
      {"run", "--timeout", "nan", "true"},
      {"run", "-", "true"},
      {"join"},
      {"join", "1"},
      {"join", "1", "--"},
      {"join", "--", "true"},
      {"join", "no_such_job", "true"},
      {"join", "1", "--node", "0", "true"},
      {"join", "1", "--node", "true"},
      {"join", "1", "--", "no_such_program_anywhere"},
      {"ps", "1", "2"},
      {"ps", "--once"},
      {"top", "--interval", "0"},
      {"top", "--interval", "soon"},
      {"info", "more"},
      {"info", "--provider", "sockets"},
      {"doctor", "--memory", "much"},
      {"doctor", "--hosts"},
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

TEST(Launcher, provider_that_is_not_there_is_one_sentence_and_status_2) {
  const std::string missing =
      "cxi";  // of a network that needs its own hardware and a newer libfabric than most
  const Command command({"run", "--nodes", "2", "--provider", missing, "true"});
  EXPECT_EQ(command.status, 2);
  EXPECT_EQ(command.output, "");
  EXPECT_EQ(std::ranges::count(command.error, '\n'), 1) << command.error;
  EXPECT_NE(command.error.find("the provider 'cxi' is not offered"), std::string::npos) << command.error;
}

TEST(Launcher, help_and_version_go_to_stdout_with_status_0) {
  for (const auto& arguments :
       {Lines{"--help"}, Lines{"run", "--help"}, Lines{"info", "--help"}, Lines{"doctor", "--help"},
        Lines{"join", "--help"}, Lines{"ps", "--help"}, Lines{"top", "--help"}, Lines{"--version"}}) {
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
