// `wyvern ps` and `wyvern top`, from end to end.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <wyvern/core/file_descriptor.hpp>

#include "runtime/support/command.hpp"
#include "runtime/support/job.hpp"

namespace wyvern::test {
namespace {

using Json = nlohmann::json;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// What a command says of one job. Null: it is not listed.
Json job_in(const std::string& output, pid_t job) {
  const Json report = Json::parse(output);
  for (const Json& listed : report["jobs"]) {
    if (listed["job"] == job) return listed;
  }
  return {};
}
Json ps_of(const Job& job) { return job_in(Command({"ps", "--json"}).output, job.pid()); }

/// Of a list of objects, the one of that name; null if there is none.
Json named(const std::string& name, const Json& list) {
  const auto found = std::ranges::find_if(list, [&](const Json& entry) { return entry["name"] == name; });
  return found != list.end() ? *found : Json();
}

class JobObservation : public testing::TestWithParam<Job::How> {
 protected:
  /// Its two other processes have come to where they wait.
  void SetUp() override {
    ASSERT_TRUE(job_.output_has("ready\n"));
    ASSERT_TRUE(eventually([&] {
      const Json queues = ps_of(job_)["nodes"][0]["queues"];
      return named("empty", queues)["waiting_consumers"] == 1 &&
             named("full", queues)["waiting_producers"] == 1;
    }));
  }
  std::size_t nodes() const { return GetParam() == Job::How::four_nodes ? 4 : 1; }
  std::string number() const { return std::to_string(job_.pid()); }

  Job job_{GetParam(), {JOB_PROGRAM, "observed", "8"}};
};

TEST_P(JobObservation, ps_lists_its_nodes_processes_and_queues) {
  const Json job = ps_of(job_);
  EXPECT_EQ(job["program"], "job_program");
  EXPECT_EQ(job["nodes_of_job"], nodes());
  ASSERT_EQ(job["nodes"].size(), nodes());
  const Json& first = job["nodes"][0];
  const Json& processes = first["processes"];
  EXPECT_EQ(processes.size(), 3U);
  const Json head = named("job_program", processes);
  EXPECT_EQ(head["puid"], 4294967296U);
  EXPECT_EQ(head["pid"], job_.head());
  EXPECT_EQ(named("getter", processes)["state"], "sleeping");
  EXPECT_EQ(named("putter", processes)["puid"], 4294967298U);
  const Json full = named("full", first["queues"]);
  EXPECT_EQ(full["capacity"], 2);
  EXPECT_EQ(full["depth"], 2);
  EXPECT_EQ(full["puts"], 2);
  EXPECT_EQ(full["gets"], 0);
  EXPECT_EQ(full["type"], "int");
  EXPECT_EQ(full["closed"], false);
  EXPECT_EQ(named("empty", first["queues"])["waiting_producers"], 0);
  for (std::size_t i = 0; i < nodes(); ++i) {
    EXPECT_EQ(job["nodes"][i]["node"], i + 1);
    EXPECT_FALSE(named("other " + std::to_string(i), job["nodes"][i]["queues"]).is_null());
    EXPECT_GT(job["nodes"][i]["memory_bytes"], 0);
  }
}

TEST_P(JobObservation, ps_of_a_number_lists_that_job_alone_as_text) {
  const Command command({"ps", number()});
  EXPECT_EQ(command.status, 0) << command.error;
  EXPECT_EQ(command.error, "");
  EXPECT_TRUE(command.output.starts_with("job " + number() + ": job_program")) << command.output;
  EXPECT_EQ(command.output.find("job ", 1), std::string::npos) << command.output;
  for (const char* part :
       {"  node 1: agent ", "4294967296", "sleeping       getter", "    full ", "    empty "})
    EXPECT_TRUE(has(command.output, part)) << part << command.output;
  EXPECT_EQ(command.output.find('\033'), std::string::npos);
}

TEST_P(JobObservation, process_that_is_stopped_or_dies_is_shown_so) {
  const pid_t getter = named("getter", ps_of(job_)["nodes"][0]["processes"])["pid"];
  ::kill(getter, SIGSTOP);
  EXPECT_TRUE(eventually(
      [&] { return named("getter", ps_of(job_)["nodes"][0]["processes"])["state"] == "stopped"; }));
  ::kill(getter, SIGKILL);
  EXPECT_TRUE(eventually([&] {
    const Json node = ps_of(job_)["nodes"][0];
    return named("getter", node["processes"]).is_null() &&
           named("empty", node["queues"])["waiting_consumers"] == 0;
  }));
}

TEST_P(JobObservation, agent_that_is_stopped_is_not_needed) {
  const pid_t agent = ps_of(job_)["nodes"][0]["agent"];
  ::kill(agent, SIGSTOP);
  const Json first = ps_of(job_)["nodes"][0];
  EXPECT_EQ(first["agent"], agent);
  EXPECT_FALSE(named("full", first["queues"]).is_null());
  ::kill(agent, SIGCONT);
}

TEST_P(JobObservation, top_once_has_the_rates_of_one_interval) {
  const Command command({"top", "--once", "--json", "--interval", "0.2", number()});
  EXPECT_EQ(command.status, 0) << command.error;
  const Json job = job_in(command.output, job_.pid());
  EXPECT_GE(job["seconds"], 0.2);
  const Json& queues = job["nodes"][0]["queues"];
  EXPECT_GT(named("busy", queues)["puts_per_second"], 0);
  EXPECT_GT(named("busy", queues)["gets_per_second"], 0);
  EXPECT_EQ(named("full", queues)["puts_per_second"], 0);
  const Command text({"top", "--once", "--interval", "0.2", number()});
  EXPECT_TRUE(has(text.output, "PUTS/s")) << text.output;
  EXPECT_LT(text.output.find("    busy "), text.output.find("    empty ")) << text.output;
}

TEST_P(JobObservation, top_maps_the_segments_for_reading_alone_and_ends_with_the_job) {
  Job top(Job::How::direct, {WYVERN_COMMAND, "top", "--interval", "0.05", number()});
  // Several looks, one below the other and without escapes.
  ASSERT_TRUE(eventually(
      [&] { return std::ranges::count(top.output(), 'Q') >= static_cast<std::ptrdiff_t>(3 * nodes()); }));
  std::ifstream maps("/proc/" + std::to_string(top.pid()) + "/maps");
  std::size_t mapped = 0;
  for (std::string line; std::getline(maps, line);) {
    if (!has(line, "wyvern-segment")) continue;
    ++mapped;
    EXPECT_TRUE(has(line, " r--s ")) << line;
  }
  EXPECT_EQ(mapped, nodes());
  EXPECT_EQ(top.output().find('\033'), std::string::npos);
  ::kill(job_.pid(), SIGKILL);
  EXPECT_EQ(top.wait(), 0) << top.error();
  EXPECT_TRUE(has(top.error(), "job '" + number() + "' has ended")) << top.error();
  EXPECT_EQ(Command({"ps", number()}).status, 2);
}

INSTANTIATE_TEST_SUITE_P(All, JobObservation,
                         testing::Values(Job::How::direct, Job::How::launched, Job::How::four_nodes),
                         [](const auto& tested) { return name_of(tested.param); });

/// A terminal's standard input and error are the test's: what top prints is sent there.
std::string on_terminal(const std::string& job, std::map<std::string, std::string> environment) {
  const std::string show = std::string(WYVERN_COMMAND) + " top --interval 0.05 " + job + " >&2";
  Job top(Job::How::direct, {"/bin/sh", "-c", show},
          {.environment = std::move(environment), .terminal = true});
  EXPECT_TRUE(eventually([&] { return std::ranges::count(top.error(), 'Q') >= 3; })) << top.error();
  return top.error();
}

TEST(JobObservationTerminal, top_writes_over_what_it_has_shown_in_colours_unless_there_are_to_be_none) {
  const Job job(Job::How::direct, {JOB_PROGRAM, "observed", "0"});
  ASSERT_TRUE(job.output_has("ready\n"));
  ASSERT_TRUE(
      eventually([&] { return named("full", ps_of(job)["nodes"][0]["queues"])["waiting_producers"] == 1; }));
  const std::string number = std::to_string(job.pid());
  const std::string shown = on_terminal(number, {{"TERM", "xterm"}});
  EXPECT_TRUE(has(shown, "\033[H")) << shown;
  EXPECT_TRUE(has(shown, "\033[1;31m    full")) << "its producer waits: " << shown;
  const std::string plain = on_terminal(number, {{"TERM", "xterm"}, {"NO_COLOR", "1"}});
  EXPECT_TRUE(has(plain, "\033[H")) << plain;
  EXPECT_FALSE(has(plain, "\033[1;31m")) << plain;
  const std::string dumb = on_terminal(number, {{"TERM", "dumb"}});
  EXPECT_FALSE(has(dumb, "\033")) << dumb;
}

TEST(JobObservationOfPrograms, head_that_knows_nothing_of_wyvern_is_listed) {
  const Job job(Job::How::launched, {"sh", "-c", "echo ready; while :; do sleep 0.01; done"});
  ASSERT_TRUE(job.output_has("ready\n"));
  const Json listed = ps_of(job);
  EXPECT_EQ(listed["program"], "sh");
  EXPECT_EQ(named("sh", listed["nodes"][0]["processes"])["pid"], job.launched_head());
}

TEST(JobChoice, job_is_called_by_the_name_of_its_program_if_that_is_one_jobs) {
  // A name that no other program has: others may run on this machine.
  const std::string name = "observe" + std::to_string(::getpid());
  const std::string copy = testing::TempDir() + name;
  ASSERT_EQ(::symlink(JOB_PROGRAM, copy.c_str()), 0);
  {
    const Job first(Job::How::direct, {copy, "observed", "0"});
    ASSERT_TRUE(first.output_has("ready\n"));
    EXPECT_TRUE(has(Command({"ps", name}).output, "job " + std::to_string(first.pid()) + ": " + name));
    const Job second(Job::How::direct, {copy, "observed", "0"});
    ASSERT_TRUE(second.output_has("ready\n"));
    const std::string both = Command({"ps", name}).output;
    for (const Job* job : {&first, &second})
      EXPECT_TRUE(has(both, "job " + std::to_string(job->pid()))) << both;
  }
  ::unlink(copy.c_str());
}

TEST(JobChoice, job_that_is_not_there_is_one_sentence_and_status_2) {
  for (const std::string command : {"ps", "top"}) {
    const Command none({command, "no_such_program"});
    EXPECT_EQ(none.status, 2);
    EXPECT_EQ(none.output, "");
    EXPECT_TRUE(has(none.error, "wyvern: no job 'no_such_program' of this user runs on this machine"))
        << none.error;
    EXPECT_EQ(std::ranges::count(none.error, '\n'), 1) << none.error;
  }
}

/// A process that looks like an agent and has this as its segment.
class ForgedAgent {
 public:
  explicit ForgedAgent(const std::string& content) {
    const FileDescriptor segment(::memfd_create("wyvern-segment", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (::write(segment.get(), content.data(), content.size()) < 0) ADD_FAILURE() << "write";
    ::fcntl(segment.get(), F_ADD_SEALS, F_SEAL_SHRINK);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::prctl(PR_SET_NAME, "wyvern-agent");
      while (true) ::pause();
    }
  }
  ~ForgedAgent() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ForgedAgent(const ForgedAgent&) = delete;
  ForgedAgent& operator=(const ForgedAgent&) = delete;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

TEST(JobChoice, segment_that_cannot_be_read_is_one_sentence_and_status_2_and_hides_no_other_job) {
  const Job job(Job::How::direct, {JOB_PROGRAM, "observed", "0"});
  ASSERT_TRUE(job.output_has("ready\n"));
  for (const std::string& content : {std::string("no wyvern"), std::string(8192, 'x')}) {
    const ForgedAgent agent(content);
    const std::string sentence =
        "wyvern: the job of the agent with pid " + std::to_string(agent.pid()) + " cannot be looked at: ";
    ASSERT_TRUE(eventually([&] { return has(Command({"ps"}).error, sentence); }));
    for (const std::string command : {"ps", "top"}) {
      std::vector<std::string> arguments{command, "--json"};
      if (command == "top") arguments.insert(arguments.end(), {"--once", "--interval", "0.01"});
      const Command all(arguments);
      EXPECT_EQ(all.status, 2);
      EXPECT_TRUE(has(all.error, sentence)) << all.error;
      EXPECT_FALSE(job_in(all.output, job.pid()).is_null());
    }
    EXPECT_EQ(Command({"ps", std::to_string(job.pid())}).error, "");
    const std::string absent = Command({"ps", "no_such_program"}).error;
    EXPECT_TRUE(absent.starts_with("wyvern: no job 'no_such_program'")) << absent;
    EXPECT_TRUE(has(absent, sentence.substr(std::string("wyvern: ").size()))) << absent;
  }
}

TEST(JobChoice, empty_name_is_no_jobs) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"ps", ""}, {"top", "--once", ""}, {"join", "", "true"}}) {
    const Command command(arguments);
    EXPECT_EQ(command.status, 2);
    EXPECT_EQ(command.output, "");
    EXPECT_TRUE(has(command.error, "JOB is empty")) << command.error;
  }
}

}  // namespace
}  // namespace wyvern::test
