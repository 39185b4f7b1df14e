#include <charconv>
#include <cstdlib>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/launcher/options.hpp>
#include <wyvern/runtime/launcher/shared_options.hpp>
#include <wyvern/runtime/memory_size.hpp>
#include <wyvern/runtime/protocol/ticket.hpp>
#include <wyvern/transport/provider_table.hpp>

namespace wyvern::launcher {

void check_provider(const std::string& name) {
  std::string known;
  for (const ProviderTraits& traits : provider_table()) {
    if (traits.use == ProviderUse::never) continue;
    if (name == traits.name || name == traits.request) return;
    if (known.find(traits.request) == std::string::npos) known += " " + std::string(traits.request);
  }
  throw InvalidArgument("--provider: there is none of the name '" + name + "', known are" + known);
}

/// Digits only: CLI11 takes "1e1" and "0x10" for numbers, too.
std::uint32_t parse_node_number(const std::string& option, const std::string& text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1 || number > max_nodes) {
    throw InvalidArgument(option + " is a number from 1 to " + std::to_string(max_nodes) + ", not '" + text +
                          "'");
  }
  return number;
}

void check_job_name(const std::string& job) {
  if (job.empty()) throw InvalidArgument("JOB is empty; `wyvern ps` lists the jobs that run");
}

MemoryCeiling decide_memory(const std::string& option) {
  if (option.empty()) {
    const char* variable = std::getenv(control::memory_variable);
    return {.bytes = memory_ceiling_from_environment(),
            .origin = variable != nullptr
                          ? control::memory_variable
                          : "default: half of the machine's, or of a tighter control group's"};
  }
  try {
    return {.bytes = parse_memory_size(option), .origin = from_command_line};
  } catch (const InvalidArgument& error) {
    throw InvalidArgument("--memory: " + std::string(error.what()));
  }
}

}  // namespace wyvern::launcher
