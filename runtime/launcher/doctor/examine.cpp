#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include <wyvern/runtime/launcher/colours.hpp>
#include <wyvern/runtime/launcher/doctor/examine.hpp>
#include <wyvern/runtime/launcher/doctor/facts.hpp>
#include <wyvern/runtime/launcher/doctor/network_facts.hpp>
#include <wyvern/runtime/launcher/report.hpp>
#include <wyvern/runtime/observation/find_agents.hpp>

namespace wyvern::launcher {
namespace {

std::vector<Finding> make_checks(const DoctorOptions& options) {
  const Settings& settings = options.settings;
  const bool other_hosts = !options.hosts.empty();
  const std::string host = own_host_name();
  std::vector<Finding> findings{
      check_kernel(kernel_release(), try_memfd()),
      check_namespaces(proc_self(), ::getpid()),
      check_memory(settings.memory, machine_memory(), group_limit("memory")),
      check_address_space(own_limit(RLIMIT_AS), settings.memory.bytes),
      check_shm_folder(settings.provider, free_bytes("/dev/shm")),
      check_open_files(hard_limit(RLIMIT_NOFILE)),
      check_processes(limit_on_processes(), group_limit("pids")),
      check_locked_memory(own_limit(RLIMIT_MEMLOCK), has_rdma_device()),
      check_core_files(core_files()),
      check_environment(variable_names()),
      check_leftovers(observation::find_agents()),
      check_libfabric(look_at_libfabric(settings.provider)),
      check_interfaces(network_interfaces(), other_hosts),
      check_ports(local_ports()),
      check_host_name(host, other_hosts ? resolve(host) : std::vector<std::string>(), other_hosts),
  };
  for (const std::string& name : options.hosts) findings.push_back(check_host(look_at_host(name)));
  return findings;
}

Report to_report(const std::vector<Finding>& findings, bool ok) {
  Report checks = Report::array();
  for (const Finding& finding : findings) {
    checks.push_back(
        {{"check", finding.check}, {"ok", finding.ok}, {"what", finding.what}, {"fix", finding.fix}});
  }
  return {{"ok", ok}, {"checks", checks}};
}

}  // namespace

int examine(const DoctorOptions& options) {
  const std::vector<Finding> findings = make_checks(options);
  const bool ok = std::ranges::all_of(findings, &Finding::ok);
  if (options.json) {
    print_as_json(std::cout, to_report(findings, ok));
  } else {
    print_findings(std::cout, findings, shows_colours(STDOUT_FILENO));
  }
  return ok ? 0 : 1;
}

void print_findings(std::ostream& out, const std::vector<Finding>& findings, bool coloured) {
  for (const Finding& finding : findings) {
    const std::string verdict = finding.ok ? "ok     " : "problem";
    out << (coloured ? painted(verdict, finding.ok ? Colour::green : Colour::red) : verdict) << "  "
        << finding.check << ": " << finding.what << '\n';
    if (!finding.ok) out << "         fix: " << finding.fix << '\n';
  }
}

}  // namespace wyvern::launcher
