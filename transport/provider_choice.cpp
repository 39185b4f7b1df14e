#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/provider_choice.hpp>

namespace wyvern {
namespace {

/// Its messages are no longer than a packet.
constexpr std::string_view efa_direct = "efa-direct";

ProviderVerdict judge(const ProviderOffer& offer, std::uint32_t version, std::string_view requested) {
  const ProviderTraits* traits = find_provider_traits(offer.provider, version);
  if (traits == nullptr)
    return {nullptr, "not known to this version of Wyvern with libfabric " + fabric_version_text(version)};
  if (!is_for_us(offer.fabric)) return {nullptr, "its messages are no longer than a packet"};
  if (traits->use == ProviderUse::never) return {nullptr, std::string(traits->why)};
  if (requested == traits->name || requested == traits->request) return {traits, "asked for"};
  if (!requested.empty()) return {nullptr, "not asked for"};
  if (traits->use == ProviderUse::on_request)
    return {nullptr, "on request only: " + std::string(traits->why)};
  return {traits, "usable"};
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "this machine";
}

std::string sentence_about(std::uint32_t version, std::string_view requested) {
  const std::string library = "libfabric " + fabric_version_text(version);
  return (requested.empty() ? "no provider of " + library + " can be used"
                            : "the provider '" + std::string(requested) + "' is not offered by " + library) +
         " on " + host_name();
}

std::string how_to_list(std::string_view provider) {
  return "fi_info" + (provider.empty() ? "" : " -p " + std::string(provider)) +
         " (Debian: libfabric-bin) lists what there is";
}

/// Of one interface only, which such an address does not say: it cannot be used without naming that.
bool is_link_local(const sockaddr& address) {
  return address.sa_family == AF_INET6 &&
         IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
}

/// Where that would listen, as a number; empty if it is no IP address.
std::string address_of(const fi_info& info) {
  if (info.src_addr == nullptr) return {};
  if (info.addr_format != FI_SOCKADDR && info.addr_format != FI_SOCKADDR_IN &&
      info.addr_format != FI_SOCKADDR_IN6)
    return {};
  const auto& address = *static_cast<const sockaddr*>(info.src_addr);
  std::array<char, NI_MAXHOST> text{};
  if (is_link_local(address) || ::getnameinfo(&address, static_cast<socklen_t>(info.src_addrlen), text.data(),
                                              text.size(), nullptr, 0, NI_NUMERICHOST) != 0)
    return {};
  return text.data();
}

bool is_ipv4(const std::string& address) { return address.find(':') == std::string::npos; }

}  // namespace

bool is_for_us(const std::string& fabric) { return fabric != efa_direct; }

FabricLibrary::Info endpoint_hints(const FabricLibrary& library) {
  auto hints = library.make_info();
  hints->ep_attr->type = FI_EP_RDM;
  hints->caps = FI_MSG | FI_RMA | FI_MULTI_RECV | FI_SOURCE;
  hints->mode = FI_CONTEXT | FI_CONTEXT2;
  hints->domain_attr->mr_mode =
      FI_MR_LOCAL | FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY | FI_MR_ENDPOINT;
  // Messages of one sender, in its order: some providers keep it only for who asks.
  hints->tx_attr->msg_order = FI_ORDER_SAS;
  hints->rx_attr->msg_order = FI_ORDER_SAS;
  hints->domain_attr->threading = FI_THREAD_DOMAIN;
  hints->domain_attr->resource_mgmt = FI_RM_ENABLED;
  return hints;
}

std::vector<ProviderOffer> list_offers(const FabricLibrary& library, const std::string& provider) {
  const auto hints = endpoint_hints(library);
  if (!provider.empty()) hints->fabric_attr->prov_name = ::strdup(provider.c_str());  // freed with the hints
  const auto list = library.find(*hints, nullptr, nullptr);
  std::vector<ProviderOffer> offers;
  for (const fi_info* info = list.get(); info != nullptr; info = info->next) {
    offers.push_back({.provider = info->fabric_attr->prov_name,
                      .fabric = info->fabric_attr->name,
                      .domain = info->domain_attr->name,
                      .address = address_of(*info)});
  }
  return offers;
}

std::string default_address(std::span<const ProviderOffer> offers, const std::string& provider,
                            const ProviderTraits& traits) {
  if (traits.listens_on_loopback) return "127.0.0.1";
  std::vector<std::string> addresses;
  for (const ProviderOffer& offer : offers) {
    if (offer.provider == provider && !offer.address.empty()) addresses.push_back(offer.address);
  }
  std::ranges::stable_partition(addresses, is_ipv4);
  if (!addresses.empty()) return addresses.front();
  throw NotFound("the provider '" + std::string(traits.request) + "' has no IP address to listen on, on " +
                 host_name() + ": the network interface of a device needs one (ip address); " +
                 how_to_list(traits.request));
}

std::vector<ProviderVerdict> judge_offers(std::span<const ProviderOffer> offers, std::uint32_t version,
                                          std::string_view requested) {
  std::vector<ProviderVerdict> verdicts;
  for (const ProviderOffer& offer : offers) verdicts.push_back(judge(offer, version, requested));
  if (const auto best = chosen_offer(verdicts)) verdicts[*best].reason = "chosen";
  return verdicts;
}

std::optional<std::size_t> chosen_offer(std::span<const ProviderVerdict> verdicts) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    if (verdicts[i].traits == nullptr) continue;
    // The table is in the order of preference; of one provider the first offer is the best.
    if (!best || verdicts[i].traits < verdicts[*best].traits) best = i;
  }
  return best;
}

ProviderChoice choose_provider(std::span<const ProviderOffer> offers, std::uint32_t version,
                               std::string_view requested) {
  const std::vector<ProviderVerdict> verdicts = judge_offers(offers, version, requested);
  const std::optional<std::size_t> best = chosen_offer(verdicts);
  std::string explanation;
  std::string_view last;
  for (std::size_t i = 0; i < offers.size(); ++i) {
    const bool is_chosen = best == i;
    if (offers[i].provider == last && !is_chosen) continue;  // one for each interface, mostly
    last = offers[i].provider;
    explanation += "  " + offers[i].provider + " (" + offers[i].domain + "): " + verdicts[i].reason + "\n";
  }
  if (!best) {
    throw NotFound(sentence_about(version, requested) + "; " + how_to_list(requested) + "\n" + explanation);
  }
  return {.offer = *best, .traits = verdicts[*best].traits, .explanation = std::move(explanation)};
}

}  // namespace wyvern
