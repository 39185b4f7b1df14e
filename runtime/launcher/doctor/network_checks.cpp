#include <algorithm>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/launcher/doctor/network_checks.hpp>

namespace wyvern::launcher {
namespace {

/// Each node listens on one, and has one more for each that it has a connection to.
constexpr std::uint32_t few_ports = 1000;
constexpr int no_ssh = 127;

bool is_loopback(const std::string& address) { return address.starts_with("127.") || address == "::1"; }

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

Finding check_libfabric(const FabricSeen& fabric) {
  constexpr const char* name = "libfabric";
  if (fabric.version.empty()) {
    return problem(name, fabric.problem + "; jobs of one node need none",
                   "install libfabric (Debian: libfabric1)");
  }
  if (fabric.chosen.empty())
    return problem(name, fabric.problem, "another --provider; wyvern info lists what became of each");
  return all_well(name, fabric.version + ", with the provider " + fabric.chosen);
}

Finding check_interfaces(const std::vector<NetworkInterface>& interfaces, bool other_hosts) {
  constexpr const char* name = "interfaces";
  bool loopback = false;
  std::vector<std::string> others;
  for (const NetworkInterface& interface : interfaces) {
    if (!interface.up || interface.addresses.empty()) continue;
    if (interface.loopback) {
      loopback |= std::ranges::find(interface.addresses, "127.0.0.1") != interface.addresses.end();
    } else {
      others.push_back(interface.name + " (" + list(interface.addresses) + ")");
    }
  }
  if (!loopback) {
    return problem(name,
                   "the loopback interface is down or has no 127.0.0.1, by which nodes reach each other",
                   "as root: ip link set lo up");
  }
  if (other_hosts && others.empty())
    return problem(name, "no interface but the loopback has an address, so no other host is reached",
                   "bring one up (ip address shows them); in a container, one with a network");
  return all_well(name, others.empty() ? "loopback only" : "loopback, " + list(others));
}

Finding check_ports(const Ports& ports) {
  constexpr const char* name = "ports";
  if (ports.bind_error != 0) {
    return problem(name, describe_errno("listening on a port of 127.0.0.1", ports.bind_error),
                   "free ports (ss -s counts them), or a container that may use the network");
  }
  if (ports.first == 0) return all_well(name, "one can be listened on; how many there are is not known");
  const std::uint32_t count = ports.last >= ports.first ? ports.last - ports.first + 1 : 0;
  const std::string range = std::to_string(ports.first) + " to " + std::to_string(ports.last);
  if (count < few_ports) {
    return problem(name, "the kernel gives out ports " + range + ", which are few",
                   "as root: sysctl net.ipv4.ip_local_port_range='32768 60999'");
  }
  return all_well(name, range);
}

Finding check_host_name(const std::string& name, const std::vector<std::string>& addresses,
                        bool other_hosts) {
  constexpr const char* check = "host name";
  if (!other_hosts) return all_well(check, name + "; what it resolves to does not matter on one machine");
  if (addresses.empty())
    return problem(check, name + " resolves to no address", "a line for it in /etc/hosts, of every host");
  if (std::ranges::all_of(addresses, is_loopback)) {
    return problem(check,
                   name + " resolves to " + list(addresses) + " only, by which no other host reaches it",
                   "its address on the network in /etc/hosts, in place of " + addresses.front());
  }
  return all_well(check, name + " is " + list(addresses));
}

Finding check_host(const HostSeen& host) {
  const std::string check = "host " + host.name;
  if (host.addresses.empty())
    return problem(check, "its name resolves to no address",
                   "the right name, or a line for it in /etc/hosts");
  if (host.ssh_status == no_ssh)
    return problem(check, "there is no ssh here, by which other hosts are reached",
                   "install it (Debian: openssh-client)");
  if (host.ssh_status != 0) {
    return problem(
        check,
        "ssh to " + host.name + " without a password ended with status " + std::to_string(host.ssh_status),
        "see what ssh -o BatchMode=yes " + host.name + " true says; ssh-copy-id " + host.name +
            " lets this user in");
  }
  return all_well(check, list(host.addresses) + ", reached by ssh");
}

}  // namespace wyvern::launcher
