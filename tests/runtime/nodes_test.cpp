// Jobs over several nodes of this machine, from end to end.
#include <signal.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/support/job.hpp"

namespace wyvern::test {
namespace {

using Lines = std::vector<std::string>;

/// Under `wyvern run --nodes 4`.
struct FourNodes : Job {
  explicit FourNodes(std::vector<std::string> command)
      : Job(Job::How::launched, std::move(command), {.launcher_options = {"--nodes", "4"}}) {}
};

/// With a process started on each other node; see nodes_program.cpp.
struct StartedNodes : Job {
  StartedNodes(std::vector<std::string> commands, const std::vector<std::string>& program)
      : Job(Job::How::direct, join(std::move(commands), program)) {}

  /// The head, and one process on each of nodes 2 and 3.
  bool all_are_ready() const {
    return std::ranges::all_of(
        puids, [this](const char* puid) { return output_has("[" + std::string(puid) + "] ready\n"); });
  }
  static constexpr std::array puids{"4294967296", "8589934593", "12884901889"};

 private:
  static std::vector<std::string> join(std::vector<std::string> commands,
                                       const std::vector<std::string>& program) {
    commands.insert(commands.begin(), NODES_PROGRAM);
    commands.emplace_back("--");
    commands.insert(commands.end(), program.begin(), program.end());
    return commands;
  }
};

pid_t find_process(const Job& job, const std::string& name) {
  const auto processes = job.processes();
  const auto found = std::ranges::find(processes, name, &SeenProcess::name);
  return found != processes.end() ? found->pid : 0;
}

bool everything_is_gone(const Job& job) {
  return eventually([&] { return job.gone(""); });
}

/// A shell that says "ready" and goes on until it gets SIGUSR1; exits with 7 then.
const std::string until_told = "trap 'exit 7' USR1; echo ready; while :; do sleep 0.01; done";
/// One that says so when it is asked to end.
const std::string until_asked = "trap 'echo asked; exit 0' TERM; echo ready; while :; do sleep 0.01; done";
const std::string heeds_nothing = "trap '' INT TERM; echo ready; while :; do sleep 0.01; done";

TEST(Nodes, four_exit_with_the_status_of_the_head) {
  FourNodes job({"sh", "-c", "echo hello; exit 42"});
  EXPECT_EQ(job.wait(), 42);
  EXPECT_EQ(job.output(), "hello\n+++ head proc exited, code 42\n");
  EXPECT_EQ(job.error(), "");
  EXPECT_TRUE(job.gone(""));
}

TEST(Nodes, four_have_an_agent_each_and_the_head_is_on_the_first) {
  FourNodes job({JOB_PROGRAM, "puids", "1"});
  EXPECT_EQ(job.wait(), 0);
  EXPECT_EQ(job.output_lines(),
            (Lines{"4294967296 parent 0", "4294967297 parent 4294967296", "+++ head proc exited, code 0"}));
}

TEST(Nodes, head_that_ends_ends_its_fibers_that_wait_for_other_nodes_before) {
  for (const char* ending : {"leaves_fibers_behind", "exits_with_fibers"}) {
    FourNodes job({JOB_PROGRAM, ending});
    EXPECT_EQ(job.wait(), 6) << job.error();
    EXPECT_EQ(job.output_lines(),
              (Lines{"a fiber was ended", "a fiber was ended", "+++ head proc exited, code 6"}));
  }
}

TEST(Nodes, program_that_cannot_be_executed_is_one_sentence_and_status_2) {
  FourNodes job({"/etc/passwd"});
  EXPECT_EQ(job.wait(), 2);
  EXPECT_EQ(job.output(), "");
  EXPECT_EQ(std::ranges::count(job.error(), '\n'), 1) << job.error();
}

TEST(Nodes, agent_that_is_killed_takes_its_node_and_the_job_goes_on) {
  FourNodes job({"sh", "-c", until_told});
  ASSERT_TRUE(job.output_has("ready\n")) << job.error();
  const pid_t victim = find_process(job, "wyvern-agent-3");
  ASSERT_NE(victim, 0);
  ::kill(victim, SIGKILL);
  ASSERT_TRUE(
      job.error_has("wyvern: the agent of node 3 has died, and its processes with it; the job goes on\n"));
  ::kill(job.launched_head(), SIGUSR1);
  EXPECT_EQ(job.wait(), 7);
  EXPECT_EQ(job.output_lines().back(), "+++ head proc exited, code 7");
  EXPECT_TRUE(job.gone(""));
}

TEST(Nodes, orphans_of_a_killed_agent_end_while_the_job_goes_on) {
  StartedNodes job({"setsid tail -f /dev/null & wait"}, {"sh", "-c", until_told});
  ASSERT_TRUE(job.output_has("ready\n")) << job.error();
  ASSERT_TRUE(eventually([&] { return find_process(job, "tail") != 0; }));
  ::kill(find_process(job, "wyvern-agent-2"), SIGKILL);
  EXPECT_TRUE(eventually([&] { return find_process(job, "tail") == 0; }));
  ::kill(job.launched_head(), SIGUSR1);
  EXPECT_EQ(job.wait(), 7);
}

TEST(Nodes, no_file_of_their_network_is_left) {
  Job job(Job::How::launched, {"sh", "-c", until_told},
          {.launcher_options = {"--nodes", "2", "--provider", "shm"}});
  ASSERT_TRUE(job.output_has("ready\n")) << job.error();
  const std::vector<pid_t> agents = {job.agent(), find_process(job, "wyvern-agent-2")};
  ::kill(job.launched_head(), SIGUSR1);
  EXPECT_EQ(job.wait(), 7);
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm")) {
    for (const pid_t agent : agents) {
      EXPECT_FALSE(entry.path().filename().string().starts_with(std::to_string(agent) + ":")) << entry.path();
    }
  }
}

TEST(Nodes, nothing_is_left_after_the_agent_of_node_1_was_killed) {
  StartedNodes job({until_asked, heeds_nothing}, {"sh", "-c", until_told});
  ASSERT_TRUE(job.all_are_ready()) << job.error();
  ::kill(job.agent(), SIGKILL);
  EXPECT_EQ(job.wait(), 128 + SIGKILL);
  EXPECT_EQ(job.error(), "wyvern: the agent of node 1 has died, and the job with it\n");
  EXPECT_EQ(job.output_lines().back(), "+++ head proc exited, code -9");
  EXPECT_TRUE(job.gone(""));
}

TEST(Nodes, nothing_is_left_after_the_launcher_was_killed) {
  StartedNodes job({until_asked, heeds_nothing}, {"sh", "-c", until_told});
  ASSERT_TRUE(job.all_are_ready()) << job.error();
  ::kill(job.pid(), SIGKILL);
  EXPECT_TRUE(everything_is_gone(job));
}

TEST(Nodes, second_signal_ends_everything) {
  StartedNodes job({heeds_nothing, heeds_nothing}, {"sh", "-c", heeds_nothing});
  ASSERT_TRUE(job.all_are_ready()) << job.error();
  ::kill(job.pid(), SIGINT);
  ::kill(job.pid(), SIGTERM);  // of another kind: two of one kind that come at once are one
  EXPECT_EQ(job.wait(), 128 + SIGKILL);
  EXPECT_EQ(job.output_lines().back(), "+++ head proc exited, code -9");
  EXPECT_TRUE(job.gone(""));
}

TEST(Nodes, signal_reaches_the_processes_of_all_nodes) {
  const std::string heeds = "trap 'echo got it; exit 5' INT; echo ready; while :; do sleep 0.01; done";
  StartedNodes job({heeds, heeds}, {"sh", "-c", "trap 'echo got it' INT; " + until_told});
  ASSERT_TRUE(job.all_are_ready()) << job.error();
  ::kill(job.pid(), SIGINT);
  for (const char* puid : StartedNodes::puids) {
    EXPECT_TRUE(job.output_has("[" + std::string(puid) + "] got it\n")) << job.output();
  }
  ::kill(job.launched_head(), SIGUSR1);
  EXPECT_EQ(job.wait(), 7);
}

TEST(Nodes, head_that_returns_waits_for_processes_of_other_nodes) {
  StartedNodes job({"sleep 0.1; echo late", "sleep 0.2; echo later"}, {JOB_PROGRAM, "head_status", "6"});
  EXPECT_EQ(job.wait(), 6) << job.error();
  EXPECT_EQ(job.output_lines(),
            (Lines{"[8589934593] late", "[12884901889] later", "+++ head proc exited, code 6"}));
  EXPECT_EQ(job.error(), "");
}

TEST(Nodes, head_that_just_ends_asks_the_others_to_and_their_last_output_comes_before_its_status) {
  StartedNodes job({until_asked, until_asked}, {"sh", "-c", until_told});
  ASSERT_TRUE(job.all_are_ready()) << job.error();
  ::kill(job.launched_head(), SIGUSR1);
  EXPECT_EQ(job.wait(), 7);
  Lines lines = job.output_lines();
  EXPECT_EQ(lines.back(), "+++ head proc exited, code 7");
  EXPECT_GE(std::ranges::count(lines, "[8589934593] asked"), 1);
  EXPECT_GE(std::ranges::count(lines, "[12884901889] asked"), 1);
}

TEST(Nodes, head_that_is_killed_takes_the_processes_of_all_nodes_with_it) {
  StartedNodes job({until_asked, heeds_nothing}, {"sh", "-c", until_told});
  ASSERT_TRUE(job.all_are_ready()) << job.error();
  ::kill(job.launched_head(), SIGKILL);
  EXPECT_EQ(job.wait(), 128 + SIGKILL);
  EXPECT_EQ(job.output().find("asked"), std::string::npos);
  EXPECT_TRUE(job.gone(""));
}

TEST(Nodes, agent_that_is_stopped_is_killed_when_the_job_has_ended) {
  FourNodes job({"sh", "-c", until_told});
  ASSERT_TRUE(job.output_has("ready\n")) << job.error();
  ::kill(find_process(job, "wyvern-agent-3"), SIGSTOP);
  ::kill(job.launched_head(), SIGUSR1);
  EXPECT_EQ(job.wait(), 7);
  EXPECT_TRUE(job.gone(""));
}

TEST(Nodes, all_output_of_all_nodes_comes_in_whole_lines_and_on_its_stream) {
  const std::string print =
      "i=0; while [ $i -lt 3000 ]; do echo line $i; echo error $i >&2; i=$((i+1)); done";
  StartedNodes job({print, print, print}, {JOB_PROGRAM, "head_status", "0"});
  EXPECT_EQ(job.wait(), 0);
  for (const auto& [text, word] : {std::pair(job.output(), "line"), std::pair(job.error(), "error")}) {
    std::map<std::string, int> next;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
      if (line.starts_with("+++")) continue;
      const std::string label = line.substr(0, line.find(' '));
      EXPECT_EQ(line, label + " " + word + " " + std::to_string(next[label]++));
    }
    EXPECT_EQ(next, (std::map<std::string, int>{
                        {"[8589934593]", 3000}, {"[12884901889]", 3000}, {"[17179869185]", 3000}}));
  }
}

TEST(Nodes, node_that_cannot_come_to_be_is_one_sentence_and_status_2) {
  for (const char* how : {"fail", "die"}) {
    StartedNodes job({"nothing", how, heeds_nothing}, {"echo", "the head has run"});
    EXPECT_EQ(job.wait(), 2) << how;
    EXPECT_EQ(job.output(), "");
    EXPECT_TRUE(job.error().starts_with("wyvern: ") && job.error().find("node 3") != std::string::npos)
        << job.error();
    EXPECT_EQ(std::ranges::count(job.error(), '\n'), 1) << job.error();
    EXPECT_TRUE(job.gone("")) << how;
  }
}

TEST(Nodes, signal_ends_a_job_whose_nodes_are_not_ready) {
  StartedNodes job({"hang"}, {"echo", "the head has run"});
  ASSERT_TRUE(eventually([&] { return find_process(job, "wyvern-agent-2") != 0; }));
  ::kill(job.pid(), SIGINT);
  EXPECT_EQ(job.wait(), 2);
  EXPECT_EQ(job.output(), "");
  EXPECT_EQ(std::ranges::count(job.error(), '\n'), 1) << job.error();
  EXPECT_TRUE(job.gone(""));
}

}  // namespace
}  // namespace wyvern::test
