// Programs whose processes and queues are on several nodes, from end to end.
#include <signal.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/support/job.hpp"
#include "support/sanitizers.hpp"
#include "transport/tested_providers.hpp"

namespace wyvern::test {
namespace {

using Lines = std::vector<std::string>;

/// Over that provider; four nodes, unless a test says otherwise.
class NodeJobTest : public testing::TestWithParam<const char*> {
 protected:
  /// What the scenario printed, without the launcher's last line.
  Lines run(std::vector<std::string> scenario) {
    scenario.insert(scenario.begin(), JOB_PROGRAM);
    return run_command(std::move(scenario));
  }
  Lines run_command(std::vector<std::string> command, const char* nodes = "4") {
    Job job(Job::How::launched, std::move(command),
            {.launcher_options = {"--nodes", nodes, "--provider", GetParam()}});
    EXPECT_EQ(job.wait(), 0) << job.output() << job.error();
    reports_ = job.error();
    if (!kills_) {
      EXPECT_EQ(reports_, "");
    }
    Lines lines = job.output_lines();
    if (!lines.empty()) lines.pop_back();
    EXPECT_TRUE(eventually([&] { return job.gone(""); }));
    return lines;
  }
  /// Processes are killed, which agents report that find it out by themselves.
  void expect_deaths() { kills_ = true; }
  std::ptrdiff_t reports() const { return std::ranges::count(reports_, '\n'); }

 private:
  bool kills_ = false;
  std::string reports_;
};

/// How many lines of the demo are of processes of each node, by their puids.
std::map<std::uint64_t, int> count_by_node(const Lines& lines) {
  std::map<std::uint64_t, int> lines_of;
  for (const std::string& line : lines)
    ++lines_of[std::stoull(line.substr(line.find_first_of("0123456789"))) >> 32];
  return lines_of;
}

TEST_P(NodeJobTest, agent_refuses_what_cannot_be_asked_from_another_node) {
  const Lines lines = run({"asked_of_another_agent"});
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0], "pipe: a pipe does not lead to another node");
  EXPECT_EQ(lines[1], "no folder: a process is to be started on another node without a working directory");
  EXPECT_EQ(lines[2], "any of none: there is no process to wait for");
  EXPECT_TRUE(lines[3].starts_with("any of one that ended and none: ")) << lines[3];
  EXPECT_FALSE(lines[3].ends_with(": no exception")) << lines[3];
}

TEST_P(NodeJobTest, queue_demo_runs_on_all_nodes) {
  EXPECT_EQ(count_by_node(run_command({QUEUE_DEMO})),
            (std::map<std::uint64_t, int>{{1, 4}, {2, 4}, {3, 4}, {4, 4}}));
}

TEST_P(NodeJobTest, queue_demo_has_its_producers_on_one_of_two_nodes_and_its_consumers_on_the_other) {
  const Lines lines = run_command({QUEUE_DEMO}, "2");
  EXPECT_EQ(count_by_node(lines), (std::map<std::uint64_t, int>{{1, 8}, {2, 8}}));
  for (const std::string& line : lines) {
    const bool is_of_first = count_by_node({line}).begin()->first == 1;
    EXPECT_TRUE(line.starts_with(is_of_first ? "I am producer " : "I am consumer ")) << line;
  }
}

TEST_P(NodeJobTest, join_returns_status_or_minus_signal_of_processes_anywhere) {
  EXPECT_EQ(run({"statuses_of_other_nodes"}),
            (Lines{"exit 0 0 0", "exit 42 42 42", "exit 255 255 255", "signal -6 of node 3"}));
}

TEST_P(NodeJobTest, signals_reach_processes_anywhere) {
  EXPECT_EQ(run({"signals_to_other_nodes"}), (Lines{"alive", "not in time", "status -15", "dead"}));
}

TEST_P(NodeJobTest, nodes_and_processes_that_there_are_not_are_errors) {
  EXPECT_EQ(run({"misuse_of_nodes"}),
            (Lines{"process on node 9: invalid_argument", "queue on node 9: node_lost",
                   "join of nobody: invalid_argument", "join of a head that is none: invalid_argument"}));
}

TEST_P(NodeJobTest, any_process_joins_any_other_by_puid) {
  EXPECT_EQ(run({"join_across_nodes"}), (Lines{"joined -9"}));
}

TEST_P(NodeJobTest, process_gets_environment_and_folder_of_who_starts_it) {
  EXPECT_EQ(run({"inheritance_across_nodes"}), (Lines{"yes /usr parent 4294967296 node 2 of 4"}));
}

TEST_P(NodeJobTest, queue_lives_while_an_argument_brings_it) {
  EXPECT_EQ(run({"handle_that_travels_alone"}), (Lines{"sum 40"}));
}

TEST_P(NodeJobTest, token_goes_round_three_times) { EXPECT_EQ(run({"token_ring"}), (Lines{"token 12"})); }

TEST_P(NodeJobTest, processes_start_processes_on_all_nodes) {
  EXPECT_EQ(run({"recursive"}), (Lines{"15 processes on 4 nodes"}));
}

TEST_P(NodeJobTest, names_are_known_on_all_nodes) {
  EXPECT_EQ(run({"names_across_nodes"}), (Lines{"got 2 and 1, taken", "of another type: type_mismatch",
                                                "again: invalid_argument", "anew 5 on node 3"}));
}

TEST_P(NodeJobTest, processes_of_different_nodes_share_no_mapping) {
  // Endpoints of shm share memory, and those of verbs map one device; of the nodes' own none is shared.
  const std::string which = std::string(GetParam()) == "tcp" ? "" : "memfd:wyvern-segment";
  EXPECT_EQ(run({"mappings_of_nodes", which}), (Lines{"4 nodes have mappings, 0 are of several"}));
}

TEST_P(NodeJobTest, every_item_comes_once_from_all_nodes_to_all_nodes) {
  EXPECT_EQ(run({"many_to_many"}), (Lines{"2000 items, 2000 different"}));
}

TEST_P(NodeJobTest, clean_exit_leaves_nothing_behind_that_was_put) {
  EXPECT_EQ(run({"puts_before_an_exit"}), (Lines{"status 0, got 200"}));
}

TEST_P(NodeJobTest, gets_of_many_processes_are_served_in_turn_and_those_with_a_limit_keep_it) {
  EXPECT_EQ(run({"gets_in_turn"}),
            (Lines{"256 gets wait", "here: nothing, not before its time",
                   "elsewhere: nothing, not before its time", "256 gets, 256 in turn"}));
}

TEST_P(NodeJobTest, server_replies_through_queues_that_its_clients_send_it) {
  EXPECT_EQ(run({"replies_across_nodes"}), (Lines{"sum 2450"}));
}

TEST_P(NodeJobTest, handles_travel_in_messages_between_all_nodes) {
  EXPECT_EQ(run({"handles_every_way"}), (Lines{"81 of 81 arrived, and none is left"}));
}

TEST_P(NodeJobTest, leases_of_processes_that_end_without_leaving_come_back_as_their_agents_say_so) {
  expect_deaths();
  EXPECT_EQ(run({"leases_of_the_dead"}), (Lines{"18 of 18 are back"}));
  constexpr std::ptrdiff_t of_other_nodes = 12;
  EXPECT_LT(reports(), of_other_nodes)
      << "each home found it out by silence, or when a message did not arrive";
}

TEST_P(NodeJobTest, handle_outlives_who_put_it) {
  expect_deaths();
  EXPECT_EQ(run({"handle_of_a_putter_that_dies"}), (Lines{"27 of 27 arrived, and none is left"}));
}

TEST_P(NodeJobTest, queues_go_with_the_messages_that_carried_them) {
  EXPECT_EQ(run({"handles_in_unread_messages"}), (Lines{"none is left"}));
}

TEST_P(NodeJobTest, queue_goes_with_who_got_its_handle) {
  expect_deaths();
  EXPECT_EQ(run({"handle_of_a_getter_that_dies"}), (Lines{"none is left"}));
}

/// `handle_when_a_node_goes`, whose output follows when the agent of that node was killed.
Lines lines_after_death_of(const std::string& node, const char* provider) {
  Job job(Job::How::launched, {JOB_PROGRAM, "handle_when_a_node_goes", node},
          {.launcher_options = {"--nodes", "3", "--provider", provider}});
  EXPECT_TRUE(job.output_has("ready\n")) << job.error();
  const auto processes = job.processes();
  const auto agent = std::ranges::find(processes, "wyvern-agent-" + node, &SeenProcess::name);
  if (agent == processes.end()) return {"there is no such agent"};
  ::kill(agent->pid, SIGKILL);
  EXPECT_EQ(job.wait(), 0) << job.output() << job.error();
  return job.output_lines();
}

TEST_P(NodeJobTest, queue_goes_with_the_node_whose_messages_carried_it) {
  EXPECT_EQ(lines_after_death_of("2", GetParam()),
            (Lines{"ready", "none is left", "+++ head proc exited, code 0"}));
}

TEST_P(NodeJobTest, handle_of_a_queue_whose_node_has_gone_says_so) {
  EXPECT_EQ(
      lines_after_death_of("3", GetParam()),
      (Lines{"ready", "node 3 is lost", "node_lost", "the queue goes on", "+++ head proc exited, code 0"}));
}

/// The shared memory of its provider is the kernel's and libfabric's: a sanitizer sees no more of it.
std::vector<const char*> ways_between_nodes() {
  if (is_sanitized) return {"tcp"};
  return and_verbs_if_tested({"tcp", "shm"});
}

INSTANTIATE_TEST_SUITE_P(Over, NodeJobTest, testing::ValuesIn(ways_between_nodes()),
                         [](const auto& provider) { return std::string(provider.param); });

}  // namespace
}  // namespace wyvern::test
