// `wyvern join`: a process that is started by hand becomes one of a job that runs already.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/support/command.hpp"
#include "runtime/support/job.hpp"

namespace wyvern::test {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A job that waits for somebody who joins.
class JoinJob : public testing::TestWithParam<Job::How> {
 protected:
  void begin(std::vector<std::string> more = {}) {
    std::vector<std::string> command{JOB_PROGRAM, "meeting"};
    command.insert(command.end(), more.begin(), more.end());
    job_ = std::make_unique<Job>(GetParam(), std::move(command));
    ASSERT_TRUE(job_->output_has("ready\n"));
  }
  std::string number() const { return std::to_string(job_->pid()); }
  /// The command line of somebody who joins.
  std::vector<std::string> joining(std::vector<std::string> program) const {
    std::vector<std::string> command{WYVERN_COMMAND, "join", number(), "--"};
    command.insert(command.end(), program.begin(), program.end());
    return command;
  }
  /// Whose standard output says that it is a member.
  bool is_member(const Job& joined) const { return joined.output_has("joined as 4294967297 parent 0\n"); }

  std::unique_ptr<Job> job_;
};

TEST_P(JoinJob, joined_process_opens_queues_by_name_and_its_status_is_the_commands_and_is_joined) {
  begin();
  Job joined(Job::How::direct, joining({JOB_PROGRAM, "meet", "42"}));
  EXPECT_EQ(joined.wait(), 42) << joined.error();
  EXPECT_TRUE(is_member(joined));
  EXPECT_TRUE(has(joined.output(), "as text: ")) << joined.output();
  EXPECT_FALSE(has(joined.output(), "no exception")) << joined.output();
  EXPECT_EQ(joined.error(), "");
  EXPECT_EQ(job_->wait(), 0) << job_->error();
  EXPECT_TRUE(has(job_->output(), "met 4294967297\nit ended with 42\n")) << job_->output();
}

TEST_P(JoinJob, death_of_a_joined_process_is_noticed_as_any_other) {
  begin();
  Job joined(Job::How::direct, joining({JOB_PROGRAM, "meet", "stay"}));
  ASSERT_TRUE(job_->output_has("met "));
  for (const SeenProcess& process : joined.processes()) {
    if (process.pid != joined.pid()) ::kill(process.pid, SIGKILL);
  }
  EXPECT_EQ(joined.wait(), 128 + SIGKILL);
  EXPECT_EQ(job_->wait(), 0) << job_->error();
  EXPECT_TRUE(has(job_->output(), "it ended with -9\n")) << job_->output();
}

TEST_P(JoinJob, its_death_is_noticed_while_who_started_it_is_stopped) {
  begin();
  Job joined(Job::How::direct, joining({JOB_PROGRAM, "meet", "stay"}));
  ASSERT_TRUE(job_->output_has("met "));
  ::kill(joined.pid(), SIGSTOP);
  for (const SeenProcess& process : joined.processes()) {
    if (process.pid != joined.pid()) ::kill(process.pid, SIGKILL);
  }
  EXPECT_EQ(job_->wait(), 0) << job_->error();
  EXPECT_TRUE(has(job_->output(), "it ended with -9\n")) << job_->output();
  ::kill(joined.pid(), SIGCONT);
  EXPECT_EQ(joined.wait(), 128 + SIGKILL);
}

TEST_P(JoinJob, joined_process_does_not_outlive_who_started_it) {
  begin();
  Job joined(Job::How::direct, joining({JOB_PROGRAM, "meet", "stay"}));
  ASSERT_TRUE(job_->output_has("met "));
  ::kill(joined.pid(), SIGKILL);
  EXPECT_EQ(joined.wait(), -SIGKILL);
  EXPECT_EQ(job_->wait(), 0) << job_->error();
  EXPECT_TRUE(has(job_->output(), "it ended with -9\n")) << job_->output();
}

TEST_P(JoinJob, end_of_the_head_ends_it) {
  begin({"without me"});
  Job joined(Job::How::direct, joining({JOB_PROGRAM, "meet", "stay"}));
  EXPECT_EQ(joined.wait(), 128 + SIGTERM);
  EXPECT_EQ(job_->wait(), 0) << job_->error();
  EXPECT_TRUE(joined.gone(""));
}

TEST_P(JoinJob, death_of_the_agent_ends_it) {
  begin();
  Job joined(Job::How::direct, joining({"sh", "-c", "echo joined; while :; do sleep 0.01; done"}));
  ASSERT_TRUE(joined.output_has("joined\n"));
  ::kill(job_->agent(), SIGKILL);
  EXPECT_EQ(joined.wait(), 128 + SIGKILL);
  EXPECT_TRUE(joined.gone(""));
}

TEST_P(JoinJob, death_of_the_agent_spares_children_that_the_command_had_before) {
  begin();
  const std::string join = std::string(WYVERN_COMMAND) + " join " + number();
  Job joined(Job::How::direct, {"/bin/sh", "-c",
                                "sleep 1000 </dev/null >/dev/null 2>&1 & exec " + join +
                                    " -- sh -c 'echo joined; while :; do sleep 0.01; done'"});
  ASSERT_TRUE(joined.output_has("joined\n"));
  ::kill(job_->agent(), SIGKILL);
  EXPECT_EQ(joined.wait(), 128 + SIGKILL);
  const auto left = joined.processes();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left.front().name, "sleep");
}

TEST_P(JoinJob, signal_that_the_command_was_to_ignore_is_ignored_by_the_program) {
  begin();
  const std::string join = std::string(WYVERN_COMMAND) + " join " + number();
  Job joined(Job::How::direct,
             {"/bin/sh", "-c",
              "trap '' HUP; exec " + join + " -- sh -c 'echo ready; read line; kill -HUP $$; exit 4'"},
             {.input = "line\n"});
  ASSERT_TRUE(joined.output_has("ready\n"));
  ::kill(joined.pid(), SIGHUP);
  EXPECT_EQ(joined.wait(), 4) << joined.error();
}

TEST_P(JoinJob, program_that_knows_nothing_of_it_is_listed_and_what_it_runs_is_a_member) {
  begin();
  const std::string script = "trap go=1 USR1; echo begun; while [ -z \"$go\" ]; do sleep 0.01; done; " +
                             std::string(JOB_PROGRAM) + " meet 3; exit 9";
  Job joined(Job::How::direct, joining({"sh", "-c", script}));
  ASSERT_TRUE(joined.output_has("begun\n"));
  std::string listed;
  EXPECT_TRUE(eventually([&] {
    listed = Command({"ps", number()}).output;
    return std::ranges::any_of(joined.processes(), [&](const SeenProcess& process) {
      return process.name == "sh" && has(listed, "4294967297") &&
             has(listed, " " + std::to_string(process.pid) + " ");
    });
  })) << listed;
  for (const SeenProcess& process : joined.processes()) {
    if (process.name == "sh") ::kill(process.pid, SIGUSR1);
  }
  EXPECT_EQ(joined.wait(), 9) << joined.error();
  EXPECT_TRUE(is_member(joined)) << joined.output();
  EXPECT_EQ(job_->wait(), 0) << job_->error();
  EXPECT_TRUE(has(job_->output(), "it ended with 9\n")) << job_->output();
}

TEST_P(JoinJob, signals_that_the_command_gets_are_the_programs) {
  begin();
  const std::string script = "trap 'echo caught; exit 5' TERM; echo ready; while :; do sleep 0.01; done";
  Job joined(Job::How::direct, joining({"sh", "-c", script}));
  ASSERT_TRUE(joined.output_has("ready\n"));
  EXPECT_TRUE(eventually([&] { return has(Command({"ps", number()}).output, "4294967297"); }));
  ::kill(joined.pid(), SIGTERM);
  EXPECT_EQ(joined.wait(), 5) << joined.error();
  EXPECT_TRUE(has(joined.output(), "caught\n"));
}

TEST_P(JoinJob, what_cannot_be_is_one_sentence_and_status_2) {
  begin();
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
      {{"join", number(), "no_such_program_anywhere"}, "no_such_program_anywhere"},
      {{"join", number(), "--node", "9", "true"}, "has no node 9"},
      {{"join", "no_such_job", "true"}, "no job 'no_such_job'"}};
  for (const auto& [arguments, part] : wrong) {
    const Command command(arguments);
    EXPECT_EQ(command.status, 2);
    EXPECT_EQ(command.output, "");
    EXPECT_TRUE(has(command.error, part)) << command.error;
    EXPECT_EQ(std::ranges::count(command.error, '\n'), 1) << command.error;
  }
  // None of these was a process of the job.
  EXPECT_FALSE(has(Command({"ps", number()}).output, "4294967297"));
}

INSTANTIATE_TEST_SUITE_P(All, JoinJob,
                         testing::Values(Job::How::direct, Job::How::launched, Job::How::four_nodes),
                         [](const auto& tested) { return name_of(tested.param); });

TEST(JoinNodes, node_that_is_named_is_joined) {
  Job job(Job::How::four_nodes, {JOB_PROGRAM, "meeting"});
  ASSERT_TRUE(job.output_has("ready\n"));
  const Command joined({"join", "--node", "3", std::to_string(job.pid()), "--", JOB_PROGRAM, "meet", "42"});
  EXPECT_EQ(joined.status, 42) << joined.error;
  EXPECT_TRUE(has(joined.output, "joined as 12884901889 parent 0\n")) << joined.output;
  EXPECT_EQ(job.wait(), 0) << job.error();
  EXPECT_TRUE(has(job.output(), "met 12884901889\nit ended with 42\n")) << job.output();
}

TEST(JoinNodes, name_that_several_jobs_have_is_refused_with_their_numbers) {
  const std::string path = testing::TempDir() + "meet" + std::to_string(::getpid());
  ASSERT_EQ(::symlink(JOB_PROGRAM, path.c_str()), 0);
  {
    const Job first(Job::How::direct, {path, "meeting"});
    const Job second(Job::How::direct, {path, "meeting"});
    ASSERT_TRUE(first.output_has("ready\n") && second.output_has("ready\n"));
    const std::string name = path.substr(path.rfind('/') + 1);
    const Command command({"join", name, "true"});
    EXPECT_EQ(command.status, 2);
    for (const Job* job : {&first, &second})
      EXPECT_TRUE(has(command.error, std::to_string(job->pid()))) << command.error;
    EXPECT_EQ(std::ranges::count(command.error, '\n'), 1) << command.error;
  }
  ::unlink(path.c_str());
}

}  // namespace
}  // namespace wyvern::test
