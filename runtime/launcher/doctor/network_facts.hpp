#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <wyvern/runtime/launcher/doctor/network_checks.hpp>

namespace wyvern::launcher {

/// What the checks are given of the network. Nothing here throws for want of one.

/// What is there, and what would be chosen for that request. Loads libfabric, which takes 100 ms and more.
FabricSeen look_at_libfabric(const std::string& provider);
std::vector<NetworkInterface> network_interfaces();
Ports local_ports();
std::string own_host_name();
/// The addresses of a host, as numbers. Waits for a name server, if it has to be asked.
std::vector<std::string> resolve(const std::string& host);
/// The exit status of a program that is found in PATH, with its output thrown away; 127 if it cannot be run,
/// 128 and the signal if one ended it. It is killed when it takes longer than that.
int run_quietly(std::vector<std::string> command, std::chrono::milliseconds patience);
/// Waits for its name, and for its ssh for twenty seconds at most.
HostSeen look_at_host(const std::string& name);

}  // namespace wyvern::launcher
