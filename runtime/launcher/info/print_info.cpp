#include <iostream>

#include <wyvern/runtime/launcher/info/configuration.hpp>
#include <wyvern/runtime/launcher/info/library_report.hpp>
#include <wyvern/runtime/launcher/info/machine_report.hpp>
#include <wyvern/runtime/launcher/info/print_info.hpp>

namespace wyvern::launcher {

int print_info(const InfoOptions& options) {
  // Before libfabric is loaded: that sets variables of its own.
  const Report configuration = report_configuration(options.settings);
  const Report report{
      {"version", WYVERN_VERSION},     {"build", report_build()},
      {"machine", report_machine()},   {"limits", report_limits()},
      {"cgroup", report_cgroup()},     {"libfabric", report_libfabric(options.settings.provider)},
      {"configuration", configuration}};
  if (options.json) {
    print_as_json(std::cout, report);
  } else {
    print_as_text(std::cout, report);
  }
  return 0;
}

}  // namespace wyvern::launcher
