#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/provider_choice.hpp>

namespace wyvern::test {
namespace {

constexpr std::uint32_t debian_12 = FI_VERSION(1, 17);
constexpr std::uint32_t recent = FI_VERSION(2, 1);

std::vector<ProviderOffer> offers_of(const std::vector<std::string>& names) {
  std::vector<ProviderOffer> offers;
  for (const std::string& name : names) offers.push_back({.provider = name, .fabric = "f", .domain = "eth0"});
  return offers;
}

/// As libfabric 1.17 lists them on an ordinary machine.
std::vector<ProviderOffer> ordinary_machine() {
  return offers_of({"tcp;ofi_rxm", "net", "net;ofi_rxm", "udp;ofi_rxd", "shm", "sockets"});
}

std::string chosen(const std::vector<ProviderOffer>& offers, std::uint32_t version,
                   std::string_view requested = {}) {
  return offers[choose_provider(offers, version, requested).offer].provider;
}

TEST(ProviderChoice, ordinary_machine_gets_tcp) {
  EXPECT_EQ(chosen(ordinary_machine(), debian_12), "tcp;ofi_rxm");
  EXPECT_EQ(chosen(offers_of({"sockets", "tcp;ofi_rxm", "shm", "tcp"}), recent), "tcp");
}

TEST(ProviderChoice, hardware_comes_before_tcp_in_whatever_order_it_is_offered) {
  EXPECT_EQ(chosen(offers_of({"tcp;ofi_rxm", "verbs;ofi_rxm"}), debian_12), "verbs;ofi_rxm");
  EXPECT_EQ(chosen(offers_of({"tcp", "verbs;ofi_rxm", "cxi"}), recent), "cxi");
  EXPECT_EQ(chosen(offers_of({"efa", "tcp"}), recent), "efa");
}

TEST(ProviderChoice, request_goes_by_the_short_name_or_by_libfabrics) {
  EXPECT_EQ(chosen(ordinary_machine(), debian_12, "tcp"), "tcp;ofi_rxm");
  EXPECT_EQ(chosen(ordinary_machine(), debian_12, "tcp;ofi_rxm"), "tcp;ofi_rxm");
  EXPECT_EQ(chosen(ordinary_machine(), debian_12, "shm"), "shm");
  EXPECT_EQ(chosen(ordinary_machine(), debian_12, "net"), "net");
  EXPECT_EQ(chosen(offers_of({"tcp", "verbs;ofi_rxm"}), recent, "verbs"), "verbs;ofi_rxm");
  EXPECT_EQ(chosen(offers_of({"tcp", "tcp;ofi_rxm"}), recent, "tcp"), "tcp");
}

TEST(ProviderChoice, release_that_never_sleeps_is_taken_on_request_only) {
  const auto offers = offers_of({"tcp"});
  EXPECT_THROW(choose_provider(offers, FI_VERSION(1, 18)), NotFound);
  EXPECT_EQ(chosen(offers, FI_VERSION(1, 18), "tcp"), "tcp");
  EXPECT_EQ(chosen(offers, FI_VERSION(1, 19)), "tcp");
}

TEST(ProviderChoice, first_offer_of_the_provider_is_taken) {
  auto offers = offers_of({"tcp;ofi_rxm", "tcp;ofi_rxm"});
  offers[1].domain = "eth1";
  EXPECT_EQ(choose_provider(offers, debian_12).offer, 0U);
}

TEST(ProviderChoice, efa_that_carries_packets_only_is_passed_over) {
  auto offers = offers_of({"efa", "efa"});
  offers[0].fabric = "efa-direct";
  EXPECT_EQ(choose_provider(offers, recent).offer, 1U);
}

TEST(ProviderChoice, explanation_has_a_line_for_each_provider) {
  auto offers = ordinary_machine();
  offers.push_back({.provider = "novelty", .fabric = "f", .domain = "n0"});
  const std::string explanation = choose_provider(offers, debian_12).explanation;
  for (const std::string_view line :
       {"  tcp;ofi_rxm (eth0): chosen\n", "  net (eth0): on request only: a preview",
        "  shm (eth0): on request", "  sockets (eth0): deprecated",
        "  novelty (n0): not known to this version of Wyvern"}) {
    EXPECT_NE(explanation.find(line), std::string::npos) << line << "\n" << explanation;
  }
}

TEST(ProviderChoice, absence_of_what_was_asked_for_names_what_there_is) {
  try {
    choose_provider(ordinary_machine(), debian_12, "verbs");
    FAIL() << "there is no verbs";
  } catch (const NotFound& error) {
    const std::string text = error.what();
    EXPECT_EQ(text.rfind("the provider 'verbs' is not offered by libfabric 1.17 on ", 0), 0U) << text;
    EXPECT_NE(text.substr(0, text.find('\n')).find("fi_info -p verbs"), std::string::npos)
        << "the first line says all to whom the others are not shown: " << text;
    EXPECT_NE(text.find("\n  tcp;ofi_rxm (eth0): not asked for\n"), std::string::npos) << text;
  }
  EXPECT_THROW(choose_provider({}, debian_12), NotFound);
  EXPECT_THROW(choose_provider(ordinary_machine(), debian_12, "sockets"), NotFound)
      << "known to be of no use";
}

std::string default_address_of(const std::vector<ProviderOffer>& offers, const std::string& provider) {
  return default_address(offers, provider, *find_provider_traits(provider, debian_12));
}

TEST(DefaultAddress, is_this_machine_only_where_the_provider_can) {
  const std::vector<ProviderOffer> offers{
      {.provider = "tcp;ofi_rxm", .fabric = "f", .domain = "eth0", .address = "192.0.2.1"}};
  EXPECT_EQ(default_address_of(offers, "tcp;ofi_rxm"), "127.0.0.1");
}

TEST(DefaultAddress, of_verbs_is_the_first_of_its_devices_ipv4_before_ipv6) {
  const auto offer_at = [](const std::string& provider, const std::string& address) {
    return ProviderOffer{.provider = provider, .fabric = "f", .domain = "rxe0", .address = address};
  };
  const std::vector<ProviderOffer> offers{offer_at("tcp;ofi_rxm", "192.0.2.1"), offer_at("verbs;ofi_rxm", ""),
                                          offer_at("verbs;ofi_rxm", "2001:db8::1"),
                                          offer_at("verbs;ofi_rxm", "192.0.2.2"),
                                          offer_at("verbs;ofi_rxm", "192.0.2.3")};
  EXPECT_EQ(default_address_of(offers, "verbs;ofi_rxm"), "192.0.2.2");
  EXPECT_EQ(default_address_of({offers[1], offers[2]}, "verbs;ofi_rxm"), "2001:db8::1");
}

TEST(DefaultAddress, devices_without_one_are_an_error_that_says_where_to_look) {
  try {
    default_address_of({{.provider = "verbs;ofi_rxm", .fabric = "f", .domain = "rxe0"}}, "verbs;ofi_rxm");
    FAIL() << "there is no address";
  } catch (const NotFound& error) {
    const std::string text = error.what();
    EXPECT_EQ(text.rfind("the provider 'verbs' has no IP address to listen on, on ", 0), 0U) << text;
    EXPECT_NE(text.find("fi_info -p verbs"), std::string::npos) << text;
  }
}

TEST(ProviderTable, entries_of_one_provider_follow_each_other_without_a_gap_or_overlap) {
  for (const int as_number : {FI_VERSION(1, 17), FI_VERSION(1, 18), FI_VERSION(1, 19), FI_VERSION(1, 21),
                              FI_VERSION(2, 0), FI_VERSION(2, 5)}) {
    const auto version = static_cast<std::uint32_t>(as_number);
    std::set<std::string_view> seen;
    for (const ProviderTraits& traits : provider_table()) {
      const bool holds = version >= traits.since && (traits.before == 0 || version < traits.before);
      if (!holds) continue;
      EXPECT_TRUE(seen.insert(traits.name).second) << traits.name << " twice in " << version;
      EXPECT_EQ(find_provider_traits(traits.name, version), &traits);
    }
  }
}

TEST(ProviderTable, whoever_is_not_taken_by_itself_has_a_reason) {
  for (const ProviderTraits& traits : provider_table()) {
    EXPECT_EQ(traits.why.empty(), traits.use == ProviderUse::by_itself) << traits.name;
  }
}

}  // namespace
}  // namespace wyvern::test
