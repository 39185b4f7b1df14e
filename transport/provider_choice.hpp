#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <wyvern/transport/fabric_library.hpp>
#include <wyvern/transport/provider_table.hpp>

namespace wyvern {

/// What libfabric says it could do for us here.
struct ProviderOffer {
  std::string provider;
  std::string fabric;
  std::string domain;
  std::string address = {};  ///< the IP address that it would listen on; empty: none, or another kind
};

/// What becomes of an offer, and why.
struct ProviderVerdict {
  const ProviderTraits* traits = nullptr;  ///< null: not to be used
  std::string reason;                      ///< "chosen" for the one that is taken
};

struct ProviderChoice {
  std::size_t offer = 0;  ///< which of them
  const ProviderTraits* traits = nullptr;
  /// A line for each provider: what became of it and why.
  std::string explanation;
};

/// What we ask of a provider: reliable datagrams, messages, remote reads and writes, receive buffers for many
/// messages, in every way of registering memory that there is.
FabricLibrary::Info endpoint_hints(const FabricLibrary& library);
/// What there is for that, best first as libfabric sees it. For all providers, or for the one with that name
/// as libfabric says it. Loading all of them takes 100 ms or more the first time.
std::vector<ProviderOffer> list_offers(const FabricLibrary& library, const std::string& provider = {});

/// Whether an offer can be meant at all: a provider may have another fabric that is not for us.
bool is_for_us(const std::string& fabric);

/// The address on which an offered provider reaches this machine's processes, unless the user names one:
/// 127.0.0.1, so that nobody listens on a network that was not named; where devices know only addresses of
/// their own (ProviderTraits::listens_on_loopback) the first of those, IPv4 before IPv6. Throws NotFound if
/// no device has one.
std::string default_address(std::span<const ProviderOffer> offers, const std::string& provider,
                            const ProviderTraits& traits);

/// A verdict for each offer, with what was asked for as in `choose_provider`.
std::vector<ProviderVerdict> judge_offers(std::span<const ProviderOffer> offers, std::uint32_t version,
                                          std::string_view requested = {});
/// The offer that is taken of those; none if there is none to be used.
std::optional<std::size_t> chosen_offer(std::span<const ProviderVerdict> verdicts);

/// The provider to be used: the one that was asked for (as in ProviderTraits::request, or ::name), or the
/// first of the table that is offered. Throws NotFound, with the explanation, if there is none.
ProviderChoice choose_provider(std::span<const ProviderOffer> offers, std::uint32_t version,
                               std::string_view requested = {});

}  // namespace wyvern
