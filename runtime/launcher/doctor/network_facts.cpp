#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <memory>

#include <wyvern/core/deadline.hpp>
#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/core/pidfd.hpp>
#include <wyvern/runtime/launcher/doctor/network_facts.hpp>
#include <wyvern/transport/fabric_library.hpp>
#include <wyvern/transport/provider_choice.hpp>

namespace wyvern::launcher {
namespace {

/// For connecting, which ssh itself gives up before, and for logging in.
constexpr std::chrono::seconds ssh_patience{20};

/// As a number; empty if it is no IP address.
std::string address_text(const sockaddr* address) {
  if (address == nullptr || (address->sa_family != AF_INET && address->sa_family != AF_INET6)) return {};
  const socklen_t bytes = address->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  std::array<char, NI_MAXHOST> text{};
  const int error = ::getnameinfo(address, bytes, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  return error == 0 ? text.data() : "";
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// Waits for a child of this process, which is killed when it takes longer: its status, as waitpid says it.
int end_of_child(pid_t child, std::chrono::milliseconds patience) {
  const FileDescriptor pidfd = open_pidfd(child);
  pollfd ended{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  const Deadline deadline = Deadline::after(patience);
  int ready = 0;
  do {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.time() - Deadline::Clock::now());
    ready = ::poll(&ended, 1, std::max(static_cast<int>(left.count()), 0));
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

int run_quietly(std::vector<std::string> command, std::chrono::milliseconds patience) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDWR, 0);
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO})
    ::posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, stream);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, arguments.front(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return 127;
  const int status = end_of_child(pid, patience);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

FabricSeen look_at_libfabric(const std::string& provider) {
  FabricSeen seen;
  try {
    const FabricLibrary& library = FabricLibrary::get();
    seen.version = fabric_version_text(library.version());
    const std::vector<ProviderOffer> offers = list_offers(library);
    seen.chosen = offers.at(choose_provider(offers, library.version(), provider).offer).provider;
  } catch (const std::exception& error) {
    seen.problem = first_line(error.what());
  }
  return seen;
}

std::vector<NetworkInterface> network_interfaces() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, &::freeifaddrs);
  std::vector<NetworkInterface> interfaces;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    auto found = std::ranges::find(interfaces, entry->ifa_name, &NetworkInterface::name);
    if (found == interfaces.end()) {
      found = interfaces.insert(interfaces.end(), {.name = entry->ifa_name,
                                                   .up = (entry->ifa_flags & IFF_UP) != 0,
                                                   .loopback = (entry->ifa_flags & IFF_LOOPBACK) != 0,
                                                   .addresses = {}});
    }
    const std::string address = address_text(entry->ifa_addr);
    if (!address.empty()) found->addresses.push_back(address);
  }
  return interfaces;
}

Ports local_ports() {
  Ports ports;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> ports.first >> ports.last;
  const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool listens =
      socket && ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::listen(socket.get(), 1) == 0;
  if (!listens) ports.bind_error = errno;
  return ports;
}

std::string own_host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::vector<std::string> resolve(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;  // else each address comes once for each kind
  addrinfo* list = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return {};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, &::freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next)
    addresses.push_back(address_text(entry->ai_addr));
  return addresses;
}

HostSeen look_at_host(const std::string& name) {
  HostSeen host{.name = name, .addresses = resolve(name), .ssh_status = 0};
  if (!host.addresses.empty()) {
    host.ssh_status = run_quietly(
        {"ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "--", name, "true"}, ssh_patience);
  }
  return host;
}

}  // namespace wyvern::launcher
