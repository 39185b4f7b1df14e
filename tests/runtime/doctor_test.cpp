// What `wyvern doctor` says of good and bad machines: each check is given what it would find there.
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/runtime/launcher/doctor/examine.hpp>
#include <wyvern/runtime/launcher/doctor/job_checks.hpp>
#include <wyvern/runtime/launcher/doctor/kernel_checks.hpp>
#include <wyvern/runtime/launcher/doctor/limit_checks.hpp>
#include <wyvern/runtime/launcher/doctor/memory_checks.hpp>

#include "runtime/support/finding.hpp"

namespace wyvern::launcher {
namespace {

using test::finds_problem;
using test::is_well;

constexpr Limit unlimited;
constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;
constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30;

TEST(DoctorLockedMemory, matters_only_where_there_is_an_rdma_device) {
  EXPECT_TRUE(is_well(check_locked_memory(64 * 1024, false)));
  EXPECT_TRUE(is_well(check_locked_memory(unlimited, true)));
  EXPECT_TRUE(finds_problem(check_locked_memory(64 * 1024, true), "lock 64.0 KiB", "ulimit -l unlimited"));
}

TEST(DoctorOpenFiles, few_are_a_problem) {
  EXPECT_TRUE(is_well(check_open_files(unlimited)));
  EXPECT_TRUE(is_well(check_open_files(1024)));
  EXPECT_TRUE(finds_problem(check_open_files(1023), "1023 files", "ulimit -Hn"));
}

TEST(DoctorProcesses, few_of_the_user_or_in_the_control_group_are_a_problem) {
  EXPECT_TRUE(is_well(check_processes(unlimited, unlimited)));
  EXPECT_TRUE(is_well(check_processes(64, 64)));
  EXPECT_TRUE(finds_problem(check_processes(63, unlimited), "this user may have 63", "ulimit -u"));
  EXPECT_TRUE(
      finds_problem(check_processes(unlimited, 20), "control group of this shell allows 20", "pids.max"));
}

TEST(DoctorAddressSpace, has_to_hold_four_times_what_a_node_may_use) {
  EXPECT_TRUE(is_well(check_address_space(unlimited, 100 * gibibyte)));
  EXPECT_TRUE(is_well(check_address_space(5 * gibibyte, gibibyte)));
  EXPECT_TRUE(finds_problem(check_address_space(5 * gibibyte - 1, gibibyte), "addresses of 5.0 GiB",
                            "ulimit -v unlimited"));
}

TEST(DoctorMemory, more_than_the_machine_or_the_control_group_has_is_a_problem) {
  const MemoryCeiling ceiling{.bytes = 2 * gibibyte, .origin = "WYVERN_MEMORY"};
  EXPECT_TRUE(is_well(check_memory(ceiling, 4 * gibibyte, unlimited)));
  EXPECT_TRUE(is_well(check_memory(ceiling, 4 * gibibyte, 2 * gibibyte)));
  EXPECT_TRUE(finds_problem(check_memory(ceiling, gibibyte, unlimited),
                            "2.0 GiB (WYVERN_MEMORY), but the machine has 1.0 GiB",
                            "--memory of 512M at most"));
  EXPECT_TRUE(finds_problem(check_memory(ceiling, 4 * gibibyte, 64 * mebibyte),
                            "its control group allows 64.0 MiB", "--memory of 32M at most"));
}

TEST(DoctorShmFolder, matters_only_to_the_provider_shm) {
  EXPECT_TRUE(is_well(check_shm_folder("tcp", unlimited))) << "there is none";
  EXPECT_TRUE(is_well(check_shm_folder("tcp", 0)));
  EXPECT_TRUE(is_well(check_shm_folder("shm", 64 * mebibyte)));
  EXPECT_TRUE(finds_problem(check_shm_folder("shm", 63 * mebibyte), "63.0 MiB free", "--shm-size"));
  EXPECT_TRUE(finds_problem(check_shm_folder("shm", {}), "there is none", "another --provider"));
}

TEST(DoctorKernel, old_ones_and_those_that_make_no_memory_are_a_problem) {
  EXPECT_TRUE(is_well(check_kernel("5.9.0", 0)));
  EXPECT_TRUE(is_well(check_kernel("6.1.0-18-amd64", 0)));
  EXPECT_TRUE(is_well(check_kernel("unheard of", 0))) << "what is not known is not said to be wrong";
  EXPECT_TRUE(finds_problem(check_kernel("5.8.18", 0), "5.8.18", "Linux 5.9"));
  EXPECT_TRUE(finds_problem(check_kernel("4.18.0-553.el8", 0), "4.18.0", "Linux 5.9"));
  EXPECT_TRUE(finds_problem(check_kernel("6.1.0", EPERM), "memfd_create", "seccomp"));
}

TEST(DoctorNamespaces, proc_of_another_namespace_or_none_is_a_problem) {
  EXPECT_TRUE(is_well(check_namespaces("17", 17)));
  EXPECT_TRUE(
      finds_problem(check_namespaces("4711", 17), "this process is 17, and 4711 there", "mount -t proc"));
  EXPECT_TRUE(finds_problem(check_namespaces("", 17), "there is no /proc", "mount -t proc"));
}

TEST(DoctorCoreFiles, that_overwrite_each_other_or_go_to_nobody_are_a_problem) {
  EXPECT_TRUE(is_well(check_core_files({.limit = 0, .pattern = "core"}))) << "none are written";
  EXPECT_TRUE(is_well(check_core_files({.limit = unlimited, .pattern = "core.%p"})));
  EXPECT_TRUE(is_well(check_core_files({.limit = unlimited, .pattern = "core", .adds_pid = true})));
  EXPECT_TRUE(is_well(check_core_files({.limit = 0, .pattern = "|/usr/bin/keeper %p"})));
  EXPECT_TRUE(finds_problem(check_core_files({.limit = unlimited, .pattern = "core"}), "overwrite each other",
                            "kernel.core_pattern=core.%p"));
  EXPECT_TRUE(
      finds_problem(check_core_files({.limit = 1, .pattern = "|/no/such %p", .handler_exists = false}),
                    "not there: /no/such", "kernel.core_pattern"));
  EXPECT_TRUE(is_well(check_core_files({.limit = 0, .pattern = "|/no/such %p", .handler_exists = false})))
      << "none are wanted";
  EXPECT_TRUE(is_well(check_core_files({.limit = 1, .pattern = "|/no/such %p", .handler_exists = {}})))
      << "it is a program of the host, which a container does not see";
}

TEST(DoctorLeftovers, stopped_agents_and_those_that_serve_nobody_are_a_problem) {
  EXPECT_TRUE(is_well(check_leftovers({})));
  EXPECT_TRUE(is_well(check_leftovers({{.pid = 7}, {.pid = 8}})));
  EXPECT_TRUE(
      finds_problem(check_leftovers({{.pid = 7}, {.pid = 8, .serves = false}, {.pid = 9, .serves = false}}),
                    "left over, with no process that they serve: 8 9", "kill 8 9"));
  EXPECT_TRUE(finds_problem(check_leftovers({{.pid = 7, .stopped = true}}), "stopped", "kill -CONT 7"));
}

TEST(DoctorEnvironment, variables_that_are_mistaken_for_ours_are_a_problem) {
  EXPECT_TRUE(is_well(
      check_environment({"PATH", "WYVERN_MEMORY", "WYVERN_CGROUP", "WYVERN_AGENT", "WYVERN_TICKET"})));
  EXPECT_TRUE(finds_problem(check_environment({"PATH", "WYVERN_MEMROY"}), "WYVERN_MEMROY", "WYVERN_MEMORY"));
}

TEST(DoctorFindings, are_a_line_each_and_one_more_with_the_fix) {
  const std::vector<Finding> findings{all_well("kernel", "Linux 6.1"),
                                      problem("memory", "is short", "buy some")};
  std::ostringstream plain;
  print_findings(plain, findings, false);
  EXPECT_EQ(plain.str(), "ok       kernel: Linux 6.1\nproblem  memory: is short\n         fix: buy some\n");
  std::ostringstream coloured;
  print_findings(coloured, findings, true);
  EXPECT_NE(coloured.str().find("\033[1;31mproblem\033[0m  memory"), std::string::npos) << coloured.str();
}

}  // namespace
}  // namespace wyvern::launcher
