#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <wyvern/runtime/launcher/doctor/finding.hpp>

namespace wyvern::launcher {

/// What there is of libfabric.
struct FabricSeen {
  std::string version;  ///< empty: it cannot be loaded
  std::string chosen;   ///< the provider that would be used, as libfabric says it; empty: there is none
  std::string problem;  ///< why not, in one line
};
Finding check_libfabric(const FabricSeen& fabric);

struct NetworkInterface {
  std::string name;
  bool up = false;
  bool loopback = false;
  std::vector<std::string> addresses;
};
/// Nodes on one machine reach each other by the loopback interface, those of several hosts by another one.
Finding check_interfaces(const std::vector<NetworkInterface>& interfaces, bool other_hosts);

struct Ports {
  std::uint32_t first = 0;  ///< that the kernel gives out; 0: it does not say
  std::uint32_t last = 0;
  int bind_error = 0;  ///< of listening on one; 0 if that was possible
};
Finding check_ports(const Ports& ports);

/// `addresses`: what the name of this host resolves to, here.
Finding check_host_name(const std::string& name, const std::vector<std::string>& addresses, bool other_hosts);

/// How another host answers.
struct HostSeen {
  std::string name;
  std::vector<std::string> addresses;  ///< that its name resolves to
  int ssh_status = 0;                  ///< of running nothing there without a password; 127: there is no ssh
};
Finding check_host(const HostSeen& host);

}  // namespace wyvern::launcher
