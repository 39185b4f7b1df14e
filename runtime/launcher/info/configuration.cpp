#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include <wyvern/runtime/agent/job_cgroup.hpp>
#include <wyvern/runtime/launcher/info/configuration.hpp>
#include <wyvern/runtime/protocol/ticket.hpp>
#include <wyvern/transport/fabric_library.hpp>

namespace wyvern::launcher {
namespace {

Report setting(const Report& value, std::string_view origin) {
  return {{"value", value}, {"origin", origin}};
}

}  // namespace

Report report_configuration(const Settings& settings) {
  Report report{{"provider", setting(settings.provider, settings.provider_origin)},
                {"memory_bytes", setting(settings.memory.bytes, settings.memory.origin)},
                {"cgroup", setting(agent::job_cgroup_wanted() ? "on" : "off",
                                   std::getenv(control::cgroup_variable) != nullptr ? control::cgroup_variable
                                                                                    : from_default)}};
  for (const FabricLibrary::Setting& own : FabricLibrary::environment()) {
    const char* user = std::getenv(own.name);
    report[own.name] = setting(user != nullptr ? user : own.value,
                               user != nullptr ? "environment" : "default: " + std::string(own.reason));
  }
  // libfabric reads more than what we set.
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    const std::string name(text.substr(0, text.find('=')));
    if (!name.starts_with("FI_") || name.size() == text.size() || report.contains(name)) continue;
    report[name] = setting(text.substr(name.size() + 1), "environment");
  }
  return report;
}

}  // namespace wyvern::launcher
