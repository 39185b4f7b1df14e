// `wyvern info` and `wyvern doctor`, from end to end.
#include <signal.h>

#include <algorithm>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runtime/support/command.hpp"
#include "runtime/support/job.hpp"

namespace wyvern::test {
namespace {

using Json = nlohmann::json;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// One check of doctor's.
Json check_named(const std::string& name, const Json& report) {
  const Json& checks = report["checks"];
  const auto found = std::ranges::find_if(checks, [&](const Json& check) { return check["check"] == name; });
  return found != checks.end() ? *found : Json::object();
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

TEST(Info, says_what_there_is_and_where_each_setting_comes_from) {
  const Command command({"info", "--provider", "tcp"}, {{"WYVERN_MEMORY", "96M"}});
  EXPECT_EQ(command.status, 0) << command.error;
  EXPECT_EQ(command.error, "");
  for (const char* part : {"version: ", "compiler: ", "usable_cores: ", "open_files: ", "cgroup:\n",
                           "libfabric:\n", "  provider: tcp (command line)\n",
                           "  memory: 96.0 MiB (WYVERN_MEMORY)\n", "  cgroup: on (default)\n"}) {
    EXPECT_TRUE(has(command.output, part)) << part << command.output;
  }
}

TEST(Info, json_has_the_same) {
  const Command command({"info", "--json", "--memory", "1G"}, {{"FI_UNIVERSE_SIZE", "8"}});
  EXPECT_EQ(command.status, 0) << command.error;
  const Json report = Json::parse(command.output);
  EXPECT_EQ(report["configuration"]["memory_bytes"], (Json{{"value", 1 << 30}, {"origin", "command line"}}));
  EXPECT_EQ(report["configuration"]["FI_UNIVERSE_SIZE"], (Json{{"value", "8"}, {"origin", "environment"}}));
  EXPECT_EQ(report["configuration"]["provider"]["origin"], "default");
  EXPECT_GE(report["machine"]["usable_cores"], 1);
  EXPECT_TRUE(report["libfabric"].contains("providers") || report["libfabric"].contains("problem"));
}

TEST(Info, names_the_provider_that_would_be_chosen_and_what_becomes_of_the_others) {
  const Json report = Json::parse(Command({"info", "--json"}).output);
  const Json& fabric = report["libfabric"];
  ASSERT_TRUE(fabric["chosen"].is_string()) << "jobs of several nodes are tested with it";
  EXPECT_EQ(fabric["providers"][fabric["chosen"].get<std::string>()], "chosen");
  const Json missing = Json::parse(Command({"info", "--json", "--provider", "cxi"}).output);
  EXPECT_TRUE(missing["libfabric"]["chosen"].is_null());
  EXPECT_EQ(missing["libfabric"]["providers"][fabric["chosen"].get<std::string>()], "not asked for");
}

TEST(Doctor, exits_with_1_and_says_the_fix_if_there_is_a_problem) {
  const Command command({"doctor", "--memory", "900000G"});
  EXPECT_EQ(command.status, 1);
  EXPECT_EQ(command.error, "");
  EXPECT_TRUE(has(command.output, "problem  memory: a job may use 878.9 TiB (command line)"))
      << command.output;
  EXPECT_TRUE(has(command.output, "         fix: a --memory of ")) << command.output;
  EXPECT_TRUE(has(command.output, "ok       kernel: Linux ")) << command.output;
}

TEST(Doctor, json_has_each_check_and_the_status_says_whether_all_are_well) {
  const Command command({"doctor", "--json"});
  const Json report = Json::parse(command.output);
  const Json& checks = report["checks"];
  EXPECT_GE(checks.size(), 15U);
  const bool all_well =
      std::ranges::all_of(checks, [](const Json& check) { return check["ok"].get<bool>(); });
  EXPECT_EQ(report["ok"], all_well);
  EXPECT_EQ(command.status, all_well ? 0 : 1);
  EXPECT_TRUE(check_named("environment", report)["ok"]) << "a test sets nothing that would hide the others";
  for (const Json& check : checks)
    EXPECT_EQ(check["fix"].get<std::string>().empty(), check["ok"].get<bool>()) << check;
}

TEST(Doctor, variable_that_is_not_read_is_a_problem) {
  const Command command({"doctor"}, {{"WYVERN_MEMROY", "1G"}});
  EXPECT_EQ(command.status, 1);
  EXPECT_TRUE(has(command.output, "WYVERN_MEMROY")) << command.output;
}

TEST(Doctor, looks_at_hosts_that_are_named) {
  // Parts of a name have 63 characters at most, so no name server is asked.
  const std::vector<std::string> hosts{std::string(64, 'x'), std::string(64, 'y')};
  const Command command({"doctor", "--hosts", hosts[0] + "," + hosts[1]});
  EXPECT_EQ(command.status, 1);
  for (const std::string& host : hosts) {
    EXPECT_TRUE(has(command.output, "problem  host " + host + ": its name resolves to no address"))
        << command.output;
  }
}

TEST(Doctor, finds_an_agent_that_is_stopped_and_one_that_works) {
  Job job(Job::How::launched, {"sh", "-c", "echo ready; while :; do sleep 0.01; done"});
  ASSERT_TRUE(job.output_has("ready\n"));
  const std::string agent = std::to_string(job.agent());
  // Others may run or hang on this machine: it is asked for that one only.
  const auto is_reported = [&] {
    const Json check = check_named("jobs", Json::parse(Command({"doctor", "--json"}).output));
    const std::vector<std::string> words = words_of(check["what"]);
    return has(check["what"], "agents are stopped") && std::ranges::count(words, agent) == 1;
  };
  EXPECT_FALSE(is_reported());
  ::kill(job.agent(), SIGSTOP);
  EXPECT_TRUE(eventually(is_reported));
  ::kill(job.agent(), SIGCONT);
}

}  // namespace
}  // namespace wyvern::test
