#include <exception>
#include <vector>

#include <fmt/format.h>

#include <wyvern/channels/ring_layout.hpp>
#include <wyvern/runtime/launcher/info/library_report.hpp>
#include <wyvern/runtime/protocol/messages.hpp>
#include <wyvern/transport/fabric_library.hpp>
#include <wyvern/transport/provider_choice.hpp>

namespace wyvern::launcher {

namespace {

/// Of each provider what becomes of it, once: it is offered for each interface, and in several forms.
Report report_providers(const std::vector<ProviderOffer>& offers,
                        const std::vector<ProviderVerdict>& verdicts) {
  Report report = Report::object();
  for (std::size_t i = 0; i < offers.size(); ++i) {
    if (report.contains(offers[i].provider)) continue;
    report[offers[i].provider] = verdicts[i].reason;
  }
  if (const auto chosen = chosen_offer(verdicts)) report[offers[*chosen].provider] = verdicts[*chosen].reason;
  return report;
}

Report name_of_chosen(const std::vector<ProviderOffer>& offers,
                      const std::vector<ProviderVerdict>& verdicts) {
  const auto chosen = chosen_offer(verdicts);
  return chosen ? Report(offers[*chosen].provider) : Report();
}

}  // namespace

Report report_build() {
  return {{"compiler", __VERSION__},
          {"type", WYVERN_BUILD_TYPE},
          {"protocol", control::protocol_version},
          {"shared_layout", fmt::format("{:016x}", channels_layout_hash)}};
}

Report report_libfabric(const std::string& provider) {
  try {
    const FabricLibrary& library = FabricLibrary::get();
    const std::vector<ProviderOffer> offers = list_offers(library);
    const std::vector<ProviderVerdict> verdicts = judge_offers(offers, library.version(), provider);
    return {{"version", fabric_version_text(library.version())},
            {"asked_for", provider},
            {"chosen", name_of_chosen(offers, verdicts)},
            {"best_here", name_of_chosen(offers, judge_offers(offers, library.version()))},
            {"providers", report_providers(offers, verdicts)}};
  } catch (const std::exception& error) {
    return {{"problem", error.what()}};
  }
}

}  // namespace wyvern::launcher
