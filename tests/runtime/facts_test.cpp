// How `wyvern info` and `wyvern doctor` look at a machine: at a copy of what it would show.
#include <signal.h>

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/runtime/launcher/doctor/facts.hpp>
#include <wyvern/runtime/launcher/doctor/network_facts.hpp>
#include <wyvern/runtime/launcher/info/machine_report.hpp>
#include <wyvern/runtime/observation/find_agents.hpp>

#include "runtime/support/scratch_folder.hpp"

namespace wyvern::launcher {
namespace {

TEST(GroupLimit, is_the_tightest_of_version_2) {
  const test::ScratchFolder root;
  root.write("proc/self/cgroup", "0::/user/shell\n");
  root.write("sys/fs/cgroup/user/shell/memory.max", "max\n");
  root.write("sys/fs/cgroup/user/memory.max", "67108864\n");
  root.write("sys/fs/cgroup/user/shell/pids.max", "100\n");
  root.write("sys/fs/cgroup/user/pids.max", "500\n");
  EXPECT_EQ(group_limit("memory", root.path()), Limit(67108864));
  EXPECT_EQ(group_limit("pids", root.path()), Limit(100));
  const Report report = report_cgroup(root.path());
  EXPECT_EQ(report["folder"], root.path() + "/sys/fs/cgroup/user/shell/");
  EXPECT_EQ(report["memory_bytes"], 67108864);
}

TEST(GroupLimit, is_the_tightest_of_version_1_where_no_limit_is_a_large_number) {
  const test::ScratchFolder root;
  root.write("proc/self/cgroup", "5:cpu,cpuacct:/job\n4:memory:/job\n3:pids:/job\n");
  root.write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "9223372036854771712\n");
  root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "1048576\n");
  root.write("sys/fs/cgroup/pids/job/pids.max", "max\n");
  EXPECT_EQ(group_limit("memory", root.path()), Limit(1048576));
  EXPECT_EQ(group_limit("pids", root.path()), Limit());
  EXPECT_EQ(report_cgroup(root.path())["processes"], "unlimited");
}

TEST(GroupLimit, is_none_without_control_groups) {
  const test::ScratchFolder root;
  EXPECT_EQ(group_limit("memory", root.path()), Limit());
  EXPECT_EQ(report_cgroup(root.path())["folder"], "none");
}

TEST(FindAgents, tells_those_that_serve_from_those_that_do_not) {
  const test::ScratchFolder proc;
  proc.write("self/stat", "not one of the processes");
  proc.write("10/stat", "10 (wyvern-agent) S 1 10 10\n");
  proc.write("11/stat", "11 (a (strange) name) R 10 11\n");
  proc.write("20/stat", "20 (wyvern-agent) S 1 20\n");
  proc.write("20/fdinfo/5", "pos:\t0\nflags:\t02000002\nPid:\t21\nNSpid:\t21\n");
  proc.write("30/stat", "30 (wyvern-agent-3) S 1 30\n");
  proc.write("30/fdinfo/4", "Pid:\t-1\n");
  proc.write("30/fdinfo/5", "Pid:\t30\n");
  proc.write("31/stat", "31 (child) Z 30 31\n");
  proc.write("40/stat", "40 (wyvern-agent) T 1 40\n");
  proc.write("41/stat", "41 (sh) S 40 41\n");
  proc.write("60/stat", "60 (wyvern-agent) S 1 60\n");
  proc.write("70/stat", "70 (wyvern-agent) S 1 70\n");
  proc.write("70/fdinfo/4", "Pid:\t0\n");
  proc.write("50/stat", "50 (wyvern-agent) Z 1 50\n");
  std::vector<observation::AgentSeen> agents = observation::find_agents(proc.path());
  std::ranges::sort(agents, {}, &observation::AgentSeen::pid);
  ASSERT_EQ(agents.size(), 6U);
  EXPECT_TRUE(agents[0].serves) << "it has a child";
  EXPECT_TRUE(agents[1].serves) << "it watches somebody who lives";
  EXPECT_FALSE(agents[2].serves) << "whom it watches is dead, or itself, and so is its child";
  EXPECT_FALSE(agents[2].stopped);
  EXPECT_TRUE(agents[3].stopped);
  EXPECT_TRUE(agents[4].serves) << "what it watches cannot be seen";
  EXPECT_TRUE(agents[5].serves) << "it watches a process of another namespace";
}

TEST(Facts, of_this_machine_are_those_of_a_machine_that_can_run_tests) {
  EXPECT_FALSE(kernel_release().empty());
  EXPECT_EQ(try_memfd(), 0);
  EXPECT_GT(machine_memory(), 0U);
  EXPECT_FALSE(own_host_name().empty());
  EXPECT_EQ(free_bytes("/no/such/folder"), Limit());
  EXPECT_EQ(local_ports().bind_error, 0);
  EXPECT_EQ(resolve("127.0.0.1"), std::vector<std::string>{"127.0.0.1"});
  EXPECT_TRUE(resolve(std::string(64, 'x')).empty()) << "63 at most: no name server is asked for it";
  const auto interfaces = network_interfaces();
  EXPECT_TRUE(std::ranges::any_of(interfaces, &NetworkInterface::loopback));
}

TEST(RunQuietly, kills_what_takes_longer_than_there_is_patience) {
  using std::chrono::hours;
  EXPECT_EQ(run_quietly({"sh", "-c", "exit 3"}, hours(1)), 3);
  EXPECT_EQ(run_quietly({"/no/such/program"}, hours(1)), 127);
  EXPECT_EQ(run_quietly({"sleep", "1000"}, std::chrono::milliseconds(1)), 128 + SIGKILL);
}

}  // namespace
}  // namespace wyvern::launcher
