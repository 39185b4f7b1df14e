// What `wyvern doctor` says of good and bad networks.
#include <cerrno>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/runtime/launcher/doctor/network_checks.hpp>

#include "runtime/support/finding.hpp"

namespace wyvern::launcher {
namespace {

using test::finds_problem;
using test::is_well;

constexpr bool other_hosts = true;

const NetworkInterface loopback{
    .name = "lo", .up = true, .loopback = true, .addresses = {"127.0.0.1", "::1"}};
const NetworkInterface ethernet{.name = "eth0", .up = true, .loopback = false, .addresses = {"192.0.2.7"}};

TEST(DoctorLibfabric, absence_of_it_or_of_the_provider_is_a_problem) {
  EXPECT_TRUE(is_well(check_libfabric({.version = "1.17", .chosen = "tcp;ofi_rxm", .problem = ""})));
  EXPECT_TRUE(finds_problem(check_libfabric({.version = "", .chosen = "", .problem = "it cannot be loaded"}),
                            "it cannot be loaded", "libfabric1"));
  EXPECT_TRUE(finds_problem(check_libfabric({.version = "1.17", .chosen = "", .problem = "no verbs here"}),
                            "no verbs here", "another --provider"));
}

TEST(DoctorInterfaces, loopback_is_needed_and_one_more_for_other_hosts) {
  EXPECT_TRUE(is_well(check_interfaces({loopback}, !other_hosts)));
  EXPECT_TRUE(is_well(check_interfaces({loopback, ethernet}, other_hosts)));
  EXPECT_TRUE(
      finds_problem(check_interfaces({loopback}, other_hosts), "no other host is reached", "ip address"));
  NetworkInterface down = loopback;
  down.up = false;
  EXPECT_TRUE(
      finds_problem(check_interfaces({down, ethernet}, !other_hosts), "127.0.0.1", "ip link set lo up"));
  NetworkInterface without = ethernet;
  without.addresses.clear();
  EXPECT_TRUE(
      finds_problem(check_interfaces({loopback, without}, other_hosts), "no other host", "ip address"));
}

TEST(DoctorPorts, few_or_none_are_a_problem) {
  EXPECT_TRUE(is_well(check_ports({.first = 32768, .last = 60999})));
  EXPECT_TRUE(is_well(check_ports({.first = 1000, .last = 1999})));
  EXPECT_TRUE(is_well(check_ports({.first = 0, .last = 0}))) << "the kernel does not say";
  EXPECT_TRUE(
      finds_problem(check_ports({.first = 1000, .last = 1998}), "1000 to 1998", "ip_local_port_range"));
  EXPECT_TRUE(finds_problem(check_ports({.first = 2000, .last = 1000}), "few", "ip_local_port_range"));
  EXPECT_TRUE(finds_problem(check_ports({.first = 32768, .last = 60999, .bind_error = EADDRINUSE}),
                            "listening on a port", "ss -s"));
}

TEST(DoctorHostName, has_to_be_reached_by_other_hosts_if_there_are_any) {
  EXPECT_TRUE(is_well(check_host_name("here", {}, !other_hosts)));
  EXPECT_TRUE(is_well(check_host_name("here", {"127.0.1.1", "192.0.2.7"}, other_hosts)));
  EXPECT_TRUE(finds_problem(check_host_name("here", {}, other_hosts), "no address", "/etc/hosts"));
  EXPECT_TRUE(finds_problem(check_host_name("here", {"127.0.1.1", "::1"}, other_hosts), "127.0.1.1, ::1 only",
                            "/etc/hosts"));
}

TEST(DoctorHost, has_to_resolve_and_to_let_us_in) {
  EXPECT_TRUE(is_well(check_host({.name = "there", .addresses = {"192.0.2.8"}, .ssh_status = 0})));
  EXPECT_TRUE(finds_problem(check_host({.name = "there", .addresses = {}}), "no address", "/etc/hosts"));
  EXPECT_TRUE(finds_problem(check_host({.name = "there", .addresses = {"192.0.2.8"}, .ssh_status = 127}),
                            "no ssh here", "openssh-client"));
  EXPECT_TRUE(finds_problem(check_host({.name = "there", .addresses = {"192.0.2.8"}, .ssh_status = 255}),
                            "status 255", "ssh-copy-id there"));
}

}  // namespace
}  // namespace wyvern::launcher
