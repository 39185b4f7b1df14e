// What a job's processes have started is ended with the job though it has left its session and lost all its
// parents: it is in the control group of its node.
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <wyvern/core/cgroup.hpp>
#include <wyvern/runtime/agent/job_cgroup.hpp>

#include "runtime/support/job.hpp"

namespace wyvern::test {
namespace {

/// The name of the control group that a process is in; empty if it has gone.
std::string group_of(pid_t pid) {
  return std::filesystem::path(version2_cgroup(std::to_string(pid)).value_or("")).filename().string();
}

std::ptrdiff_t number_of_threads(pid_t pid) {
  std::error_code gone;
  const std::filesystem::directory_iterator threads("/proc/" + std::to_string(pid) + "/task", gone);
  return std::distance(threads, std::filesystem::directory_iterator());
}

/// This process is in a control group of its own: no job of another test finds there what one of this test
/// has left over.
struct OwnPlace {
  OwnPlace() : group(agent::JobCgroup::make(::getpid(), 1)) { group.enter(); }
  ~OwnPlace() { group.end(Deadline::never()); }
  OwnPlace(const OwnPlace&) = delete;
  OwnPlace& operator=(const OwnPlace&) = delete;

  agent::JobCgroup group;
};

class EscapeTest : public testing::TestWithParam<Job::How> {
 protected:
  void SetUp() override {
    if (!place_.group) GTEST_SKIP() << place_.group.refusal();
    ASSERT_TRUE(job_.output_has("ready\n")) << job_.error();
    socket_ = job_.socket_name();
    const std::string home = *version2_cgroup_folder();
    for (const SeenProcess& process : job_.processes()) {
      const std::string group = group_of(process.pid);
      if (process.name.starts_with("wyvern-agent")) {
        agents_.push_back(process.pid);
        folders_.insert(home + "/" + group);
        EXPECT_TRUE(group.starts_with("wyvern-job-" + std::to_string(job_.pid()) + "-")) << group;
      } else if (process.pid != job_.pid()) {
        started_.push_back(process.pid);
      }
    }
    EXPECT_EQ(folders_.size(), agents_.size()) << "each has its own";
    EXPECT_GE(started_.size(), 2 * agents_.size());
  }

  bool any_folder_left() const {
    for (const std::string& folder : folders_) {
      if (std::filesystem::exists(folder)) return true;
    }
    return false;
  }

  OwnPlace place_;
  Job job_{GetParam(), {JOB_PROGRAM, "orphans_everywhere"}};
  std::string socket_;
  std::vector<pid_t> agents_;
  std::vector<pid_t> started_;  ///< by them, and by what they have started
  std::set<std::string> folders_;
};

TEST_P(EscapeTest, all_that_agents_have_started_is_in_their_groups) {
  const std::string home = *version2_cgroup_folder();
  for (const pid_t pid : started_) {
    const std::string group = group_of(pid);
    EXPECT_TRUE(folders_.contains(home + "/" + group)) << group;
  }
}

TEST_P(EscapeTest, nothing_is_left_when_the_job_has_ended) {
  ::kill(job_.agent(), SIGTERM);
  job_.wait();
  EXPECT_TRUE(eventually([&] { return job_.gone(socket_) && !any_folder_left(); }));
}

TEST_P(EscapeTest, nothing_is_left_when_the_agents_were_killed) {
  for (const pid_t agent : agents_) ::kill(agent, SIGKILL);
  EXPECT_TRUE(eventually([&] { return job_.gone(socket_) && !any_folder_left(); }));
}

TEST_P(EscapeTest, nothing_is_left_when_who_began_the_job_was_killed) {
  ::kill(job_.pid(), SIGKILL);
  EXPECT_TRUE(eventually([&] { return job_.gone(socket_) && !any_folder_left(); }));
}

TEST_P(EscapeTest, what_is_left_when_all_who_could_end_it_were_killed_at_once_the_next_job_ends) {
  ::kill(job_.pid(), SIGSTOP);  // or else it might notice that the others die
  for (const pid_t agent : agents_) ::kill(agent, SIGKILL);
  ::kill(job_.pid(), SIGKILL);
  ASSERT_TRUE(eventually([&] { return job_.processes().size() <= agents_.size(); }));
  EXPECT_EQ(job_.processes().size(), agents_.size()) << "one has escaped on each node";
  EXPECT_TRUE(eventually([&] {
    Job next(GetParam(), {JOB_PROGRAM, "returns_early"});
    EXPECT_EQ(next.wait(), 3) << next.error();
    return job_.gone(socket_) && !any_folder_left();
  }));
}

INSTANTIATE_TEST_SUITE_P(Run, EscapeTest,
                         testing::Values(Job::How::direct, Job::How::launched, Job::How::four_nodes),
                         [](const auto& how) { return name_of(how.param); });

using DirectEscapeTest = EscapeTest;

TEST_P(DirectEscapeTest, nothing_is_left_when_the_agent_was_killed_while_a_head_that_has_returned_waits) {
  ::kill(job_.pid(), SIGUSR1);
  ASSERT_TRUE(job_.output_has("returns\n")) << job_.error();
  ASSERT_TRUE(eventually([&] { return number_of_threads(job_.pid()) == 1; })) << "none watches the agent";
  ::kill(agents_.front(), SIGKILL);
  EXPECT_EQ(job_.wait(), 1);
  EXPECT_NE(job_.error().find("has died"), std::string::npos) << job_.error();
  EXPECT_TRUE(eventually([&] { return job_.gone(socket_) && !any_folder_left(); }));
}

INSTANTIATE_TEST_SUITE_P(Run, DirectEscapeTest, testing::Values(Job::How::direct),
                         [](const auto& how) { return name_of(how.param); });

/// `command` as if there were no control groups of version 2.
std::vector<std::string> without_groups(const std::vector<std::string>& command) {
  std::vector<std::string> words{"/usr/bin/env", "unshare",
                                 "--mount",      "sh",
                                 "-c",           "umount --all --lazy --types cgroup2; exec \"$0\" \"$@\""};
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

TEST(NoGroup, job_runs_as_well_and_info_says_why_there_is_none) {
  Job tried(Job::How::direct, {"/usr/bin/env", "unshare", "--mount", "true"});
  if (tried.wait() != 0) GTEST_SKIP() << tried.error();
  Job job(Job::How::direct, without_groups({JOB_PROGRAM, "stubborn"}));
  EXPECT_EQ(job.wait(), 5) << job.error();
  EXPECT_EQ(job.output(), "ready\n");
  EXPECT_EQ(job.error(), "");
  EXPECT_TRUE(eventually([&] { return job.gone(""); }));
  Job info(Job::How::direct, without_groups({WYVERN_COMMAND, "info", "--json"}));
  EXPECT_EQ(info.wait(), 0) << info.error();
  EXPECT_EQ(nlohmann::json::parse(info.output())["cgroup"]["jobs"],
            "have no group of their own: no control group of version 2 can be seen from here");
}

TEST(NoGroup, job_that_is_to_have_none_runs_in_that_of_who_began_it_and_info_says_so) {
  const Job::Options off{.environment = {{"WYVERN_CGROUP", "off"}}};
  for (const Job::How how : {Job::How::direct, Job::How::launched}) {
    Job job(how, {JOB_PROGRAM, "orphans_everywhere"}, off);
    ASSERT_TRUE(job.output_has("ready\n")) << job.error();
    for (const SeenProcess& process : job.processes()) EXPECT_EQ(group_of(process.pid), group_of(::getpid()));
  }
  Job info(Job::How::direct, {WYVERN_COMMAND, "info", "--json"}, off);
  EXPECT_EQ(info.wait(), 0) << info.error();
  const auto report = nlohmann::json::parse(info.output());
  EXPECT_EQ(report["cgroup"]["jobs"], "have no group of their own: WYVERN_CGROUP is off");
  EXPECT_EQ(report["configuration"]["cgroup"]["origin"], "WYVERN_CGROUP");
}

TEST(NoGroup, wrong_variable_is_an_error) {
  for (const Job::How how : {Job::How::direct, Job::How::launched, Job::How::four_nodes}) {
    Job job(how, {JOB_PROGRAM, "puids", "0"}, {.environment = {{"WYVERN_CGROUP", "none"}}});
    EXPECT_NE(job.wait(), 0);
    EXPECT_NE(job.error().find("WYVERN_CGROUP is 'on' or 'off', not 'none'"), std::string::npos)
        << job.error();
  }
}

}  // namespace
}  // namespace wyvern::test
