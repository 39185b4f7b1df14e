#include <wyvern/core/error.hpp>
#include <wyvern/runtime/launcher/shared_options.hpp>
#include <wyvern/runtime/memory_size.hpp>
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

std::uint64_t parse_memory_option(const std::string& text) {
  if (text.empty()) return memory_ceiling_from_environment();
  try {
    return parse_memory_size(text);
  } catch (const InvalidArgument& error) {
    throw InvalidArgument("--memory: " + std::string(error.what()));
  }
}

}  // namespace wyvern::launcher
