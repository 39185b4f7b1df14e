#pragma once

#include <wyvern/runtime/launcher/report.hpp>
#include <wyvern/runtime/launcher/shared_options.hpp>

namespace wyvern::launcher {

/// What a job would be run with, each value with where it comes from: the command line, a variable, or a
/// default. To be called before libfabric is loaded. Throws InvalidArgument.
Report report_configuration(const Settings& settings);

}  // namespace wyvern::launcher
